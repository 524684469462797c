//! What Cognito's errors mean here, and the input that it would reject.

use beak_core::person::Password;
use beak_core::{BeakError, Result};

/// The pattern that Cognito requires of a password: `^[\S]+.*[\S]+$`, as Java reads it. Checked
/// before the call, for every address alike, because Cognito might look at the address first.
pub(super) fn check(password: &Password) -> Result<()> {
    const BLANKS: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];
    const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let text = password.expose();
    if text.trim_matches(BLANKS).len() == text.len() && !text.contains(BREAKS) {
        return Ok(());
    }
    Err(BeakError::WeakPassword("a password neither begins nor ends with a blank, and is one line"))
}

/// Cognito's limits are narrower than ours: an address has at most 128 characters, and an
/// operator may have set a stricter password policy. Only its message says which one was hit.
pub(super) fn unfit(message: Option<&str>) -> BeakError {
    let message = message.unwrap_or_default().to_lowercase();
    if message.contains("password") {
        return BeakError::WeakPassword("this password is too weak for this galaxy");
    }
    BeakError::invalid("email", "this galaxy takes no such e-mail address")
}

/// Whether a code was rejected for its value or for its address. Cognito returns some of these only
/// for addresses that it knows, so callers get the same error for all of them.
pub(super) fn is_no(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "CodeMismatchException"
                | "ExpiredCodeException"
                | "TooManyFailedAttemptsException"
                | "LimitExceededException"
                | "UserNotFoundException"
                | "UserNotConfirmedException"
                | "NotAuthorizedException"
                | "InvalidParameterException"
                | "AliasExistsException"
                // `check` has accepted it. That a password was used before must not be revealed to
                // a caller whose code may be wrong.
                | "InvalidPasswordException"
                | "PasswordHistoryPolicyViolationException"
        )
    )
}

/// Whether a request for a code failed only for this address: it has no account, it has reached a
/// limit, or its mail can't be delivered. Callers must not learn which.
pub(super) fn is_unsent(code: Option<&str>) -> bool {
    is_undelivered(code) || is_unknown(code)
}

/// Whether Cognito could not send a mail: its quota is used up, or the address is unreachable.
pub(super) fn is_undelivered(code: Option<&str>) -> bool {
    let undelivered =
        matches!(code, Some("LimitExceededException" | "CodeDeliveryFailureException"));
    if undelivered {
        tracing::warn!(cause = code, "a code was not sent");
    }
    undelivered
}

/// Whether the account or the token does not exist.
pub(super) fn is_unknown(code: Option<&str>) -> bool {
    let codes = ["UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"];
    code.is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_as_cognito_wants_it_before_it_is_asked() {
        for text in ["a rather good one", "ü\u{a0}good\tenough ü"] {
            let password = Password::attempt(text.into()).expect("short enough");
            assert_eq!(check(&password), Ok(()), "{text:?}");
        }
        let bad = [" good enough", "good enough ", "good enough\n", "\tgood enough", "\u{b}good"];
        // Other whitespace characters count as whitespace.
        let more = ["good\nenough", "good\u{2028}enough", "\u{a0}good enough"];
        for text in bad.into_iter().chain(more) {
            let password = Password::attempt(text.into()).expect("short enough");
            assert_eq!(check(&password).map_err(|e| e.code()), Err("weak_password"), "{text:?}");
        }
    }

    /// Errors for known addresses get the same answer as errors for all.
    #[test]
    fn what_cognito_knows_of_an_address_is_not_said() {
        let tried = [
            "CodeMismatchException",
            "ExpiredCodeException",
            "TooManyFailedAttemptsException",
            "LimitExceededException",
            "UserNotFoundException",
            "UserNotConfirmedException",
            "NotAuthorizedException",
            "InvalidPasswordException",
        ];
        assert!(tried.into_iter().all(|code| is_no(Some(code))));
        let asked = ["LimitExceededException", "CodeDeliveryFailureException"];
        assert!(asked.into_iter().all(|code| is_unsent(Some(code)) && is_undelivered(Some(code))));
        assert!(!is_undelivered(Some("UserNotFoundException")));
        // These concern the service, not an account.
        for code in [None, Some("TooManyRequestsException"), Some("InternalErrorException")] {
            assert!(!is_no(code) && !is_unsent(code), "{code:?}");
        }
    }

    #[test]
    fn what_cognito_minds_is_named_at_its_field() {
        let cases = [
            (
                "1 validation error detected: Value at 'password' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: ^[\\S]+.*[\\S]+$",
                "weak_password",
            ),
            ("Password did not conform with policy: Password not long enough", "weak_password"),
            ("Invalid email address format.", "invalid_request"),
            ("1 validation error detected: Value at 'username' failed", "invalid_request"),
        ];
        for (message, word) in cases {
            assert_eq!(unfit(Some(message)).code(), word, "{message}");
        }
    }
}
