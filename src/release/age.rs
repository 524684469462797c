//! An older program never replaces a newer release: only a rollback leads back.

use semver::Version;

use crate::failure::{Failure, Kind};

/// Refuses to go on if `installed`, the version of the program that made the current release, is
/// newer than `own`. A build number or a version that is none says nothing about age.
pub fn not_older(installed: Option<&str>, own: &str) -> Result<(), Failure> {
    let Some(installed) = installed else { return Ok(()) };
    let (Ok(newer), Ok(older)) = (Version::parse(installed), Version::parse(own)) else {
        return Ok(());
    };
    if newer.cmp_precedence(&older).is_le() {
        return Ok(());
    }
    let message = format!("this galaxy runs release {newer}, and this program is {older}");
    Err(Failure::new(Kind::Refused, message)
        .cause(
            "an older program would replace templates and code that it does not know; nothing \
             was changed",
        )
        .help(format!(
            "install with spaceduck {newer} or newer; to return to an earlier release, run \
             `spaceduck rollback`"
        )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_older_program_is_refused() {
        for (installed, own, refused) in [
            (None, "1.1.0", false),
            (Some("1.1.0"), "1.1.0", false),
            (Some("1.1.0"), "1.2.0", false),
            (Some("1.9.0"), "1.10.0", false),
            (Some("1.10.0"), "1.9.0", true),
            (Some("1.1.1"), "1.1.0", true),
            (Some("1.2.0-rc.1"), "1.1.0", true),
            (Some("1.1.0"), "1.1.0-rc.1", true),
            (Some("1.1.0+build.2"), "1.1.0+build.1", false),
            (Some("rehearsed"), "1.1.0", false),
        ] {
            let outcome = not_older(installed, own);
            assert_eq!(outcome.is_err(), refused, "{installed:?} {own}");
        }
    }
}
