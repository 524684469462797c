//! The newsletter: offered by mail, taken up and ended by the links in that mail.

use std::net::IpAddr;

use time::Duration;

use super::Galaxy;
use crate::error::{BeakError, Result};
use crate::mail::Mail;
use crate::newsletter::{OFFER_LIFETIME, Offer, Token};
use crate::person::Email;
use crate::ports::Turn;

/// How long to wait between two offers to an address.
const OFFER_EVERY: Duration = Duration::seconds(60);

/// A request for a subscription.
pub struct NewReader {
    /// Whose.
    pub email: Email,
    /// From the captcha.
    pub captcha_token: String,
    /// Where the call came from, if the home knows.
    pub from: Option<IpAddr>,
}

impl Galaxy {
    /// Offers the newsletter to an address, at most once a minute. The answer never says whether
    /// the address is known or a mail was sent.
    pub async fn offer_newsletter(&self, new: NewReader) -> Result<()> {
        self.check_captcha(&new.captcha_token, "newsletter", new.from).await?;
        let name = format!("newsletter#{}", new.email.sha256());
        let turn = Turn { name, now: self.now(), every: OFFER_EVERY };
        if self.ports.store.take_turn(&turn).await?.is_some() {
            return Ok(());
        }
        let token = Token::new(self.random()?);
        let expires_at = self.now() + OFFER_LIFETIME;
        let offer = Offer { token: token.hash(), email: new.email.clone(), expires_at };
        self.ports.store.offer_newsletter(&offer).await?;
        let mail = Mail::newsletter(new.email, &self.settings.issuer, &token)?;
        self.mail(&mail).await
    }

    /// Takes an offer up.
    pub async fn subscribe(&self, token: &Token) -> Result<()> {
        let subscribed = self.ports.store.subscribe(&token.hash(), self.now()).await?;
        if subscribed { Ok(()) } else { Err(BeakError::NotFound("such offer any more")) }
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&self, token: &Token) -> Result<()> {
        let ended = self.ports.store.unsubscribe(&token.hash()).await?;
        if ended { Ok(()) } else { Err(BeakError::NotFound("such subscription")) }
    }
}
