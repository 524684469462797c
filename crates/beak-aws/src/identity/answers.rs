//! What Cognito's refusals mean here, and what it would refuse.

use beak_core::person::Password;
use beak_core::{BeakError, Result};

/// What Cognito takes no password without: `^[\S]+.*[\S]+$`, as Java reads it. Looked at before it
/// is asked, because it might look at the address first, and for everybody alike.
pub(super) fn check(password: &Password) -> Result<()> {
    const BLANKS: [char; 6] = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'];
    const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let text = password.expose();
    if text.trim_matches(BLANKS).len() == text.len() && !text.contains(BREAKS) {
        return Ok(());
    }
    Err(BeakError::WeakPassword("a password neither begins nor ends with a blank, and is one line"))
}

/// Cognito is stricter than we are: an address has at most 128 characters. And whoever has changed
/// the pool's policy may want longer passwords. Which of the two it minds only its message says.
pub(super) fn unfit(message: Option<&str>) -> BeakError {
    let message = message.unwrap_or_default().to_lowercase();
    if message.contains("password") {
        return BeakError::WeakPassword("this password is too weak for this galaxy");
    }
    BeakError::invalid("email", "this galaxy takes no such e-mail address")
}

/// Whether a code failed for what it is or whose it is. Some of these Cognito has only for
/// addresses that it knows, so none of them may reach a caller in words of its own.
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
                // `check` has found nothing in it. What was used before is no news for a caller
                // whose code may be wrong.
                | "InvalidPasswordException"
                | "PasswordHistoryPolicyViolationException"
        )
    )
}

/// Whether a request for a code failed only for this address: there is nobody who could want one,
/// or somebody who has asked too often or can't be mailed. The caller may not learn which.
pub(super) fn is_unsent(code: Option<&str>) -> bool {
    is_undelivered(code) || nobody(code)
}

/// Whether Cognito did not get a mail out: it has sent as many as it may, or can't reach this one.
pub(super) fn is_undelivered(code: Option<&str>) -> bool {
    let undelivered =
        matches!(code, Some("LimitExceededException" | "CodeDeliveryFailureException"));
    if undelivered {
        tracing::warn!(cause = code, "a code was not sent");
    }
    undelivered
}

/// Whether there is no such person, or none with such a token.
pub(super) fn nobody(code: Option<&str>) -> bool {
    let codes = ["UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"];
    code.is_some_and(|code| codes.contains(&code))
}

/// Whether a token is worth nothing, or not until its owner has done something.
pub(super) fn is_spent(code: Option<&str>) -> bool {
    nobody(code)
        || matches!(code, Some("PasswordResetRequiredException" | "UserNotConfirmedException"))
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
        // A blank of another kind is a blank.
        let more = ["good\nenough", "good\u{2028}enough", "\u{a0}good enough"];
        for text in bad.into_iter().chain(more) {
            let password = Password::attempt(text.into()).expect("short enough");
            assert_eq!(check(&password).map_err(|e| e.code()), Err("weak_password"), "{text:?}");
        }
    }

    /// What Cognito says of known addresses only looks like what it says of all.
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
        // These say something of the service, not of anybody.
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
