//! Cloudflare's published Turnstile test secrets, which need no network.
//!
//! The rules are those of
//! <https://developers.cloudflare.com/turnstile/troubleshooting/testing/>.

use std::net::IpAddr;

use async_trait::async_trait;
use beak_core::Result;
use beak_core::ports::Captcha;

/// The site key of [`PASSES`].
pub const TEST_SITE_KEY: &str = "1x00000000000000000000AA";
/// Every token passes.
pub const PASSES: &str = "1x0000000000000000000000000000000AA";
/// No token passes.
pub const FAILS: &str = "2x0000000000000000000000000000000AA";
/// Every token counts as already spent.
pub const SPENT: &str = "3x0000000000000000000000000000000AA";

/// A captcha that a test secret decides.
pub struct TestCaptcha {
    passes: bool,
}

impl TestCaptcha {
    /// The captcha of a published test secret; `None` for a real secret.
    #[must_use]
    pub fn of(secret: &str) -> Option<Self> {
        match secret {
            PASSES => Some(Self { passes: true }),
            FAILS | SPENT => Some(Self { passes: false }),
            _ => None,
        }
    }
}

#[async_trait]
impl Captcha for TestCaptcha {
    async fn check(&self, token: &str, _: &str, _: Option<IpAddr>) -> Result<bool> {
        Ok(self.passes && !token.trim().is_empty())
    }
}
