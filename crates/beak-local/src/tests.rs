//! The contract of a whole home, on a database file.

use async_trait::async_trait;
use beak_core::OffsetDateTime;
use beak_core::contract::home::{Home, Letters};
use beak_core::person::{OtpCode, Password};
use beak_core::ports::Confirmed;
use tempfile::TempDir;

use super::*;

struct Posted {
    outbox: Outbox,
}

#[async_trait]
impl Letters for Posted {
    async fn code(&self, to: &Email) -> OtpCode {
        let mails = self.outbox.list().expect("read");
        let code = mails.iter().find_map(|mail| mail.code(to.as_str()));
        OtpCode::parse(code.expect("a mail with a code")).expect("six digits")
    }

    async fn reset_code(&self, to: &Email) -> OtpCode {
        self.code(to).await
    }

    async fn subjects(&self, to: &Email) -> Vec<String> {
        let mails = self.outbox.list().expect("read");
        let own = mails.iter().rev().filter(|mail| mail.is_to(to.as_str()));
        let subjects = own.map(|mail| mail.subject().to_owned());
        // Codes are not the galaxy's own mails in the other home.
        subjects.filter(|subject| subject != beak_core::mail::Mail::CODE_SUBJECT).collect()
    }
}

fn open() -> (Home, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let data = Data::open(folder.path()).expect("a folder");
    let signer = data.signer().expect("a key");
    std::fs::remove_file(folder.path().join("certificate.key")).expect("there");
    let other = data.signer().expect("another key");
    let db = Arc::new(data.db);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (ports, _) = ports(&db, signer, &clock, true).expect("adapters");
    let (resigned, _) = super::ports(&db, other, &clock, true).expect("adapters");
    let letters = Arc::new(Posted { outbox: Outbox { db, clock } });
    (Home { ports, resigned, letters }, folder)
}

beak_core::home_contract!(open());

/// A clock that a test moves on.
struct Moved(std::sync::atomic::AtomicI64);

impl Clock for Moved {
    fn now(&self) -> OffsetDateTime {
        let seconds = self.0.load(std::sync::atomic::Ordering::Relaxed);
        OffsetDateTime::from_unix_timestamp(seconds).expect("a time")
    }
}

#[tokio::test]
async fn tokens_and_codes_end_with_their_time() {
    let folder = TempDir::new().expect("a folder");
    let data = Data::open(folder.path()).expect("a folder");
    let signer = data.signer().expect("a key");
    let db = Arc::new(data.db);
    let moved = Arc::new(Moved(1_800_000_000.into()));
    let pass = |time: Duration| {
        moved.0.fetch_add(time.whole_seconds(), std::sync::atomic::Ordering::Relaxed);
    };
    let clock: Arc<dyn Clock> = Arc::clone(&moved) as Arc<dyn Clock>;
    let (ports, _) = ports(&db, signer, &clock, true).expect("adapters");
    let letters = Posted { outbox: Outbox { db, clock } };
    let email = Email::parse("swan@example.com").expect("an address");
    let password = Password::attempt("a rather good one".into()).expect("short enough");
    let identity = &ports.identity;
    identity.sign_up(&email, &password).await.expect("signed up");
    let late = letters.code(&email).await;
    pass(Duration::minutes(15));
    assert_eq!(identity.confirm(&email, &late).await, Ok(Confirmed::No));
    identity.resend(&email).await.expect("sent");
    pass(Duration::minutes(14));
    let code = letters.code(&email).await;
    assert_eq!(identity.confirm(&email, &code).await, Ok(Confirmed::Yes));
    let tokens = identity.sign_in(&email, &password).await.expect("answered").expect("right");
    let is_good = async || identity.who(&tokens.access).await.expect("answered").is_some();
    pass(tokens.expires_in - Duration::seconds(1));
    assert!(is_good().await);
    pass(Duration::seconds(1));
    assert!(!is_good().await);
    let refresh = tokens.refresh.expect("a refresh token");
    assert!(identity.refresh(&refresh).await.expect("answered").is_some());
    pass(Duration::days(30));
    assert!(identity.refresh(&refresh).await.expect("answered").is_none());
}
