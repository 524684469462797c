//! The contract of a whole home, on a database file.

use async_trait::async_trait;
use beak_core::contract::home::{Home, Letters};
use beak_core::person::OtpCode;
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
