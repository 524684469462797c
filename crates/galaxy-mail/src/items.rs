//! The twenty items of the checklist: one table, for the walk and for the documentation.

use serde::Serialize;

/// Who can tell how an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// The program looks by itself.
    Program,
    /// Only a person knows; `spaceduck mail confirm` takes the answer.
    Person,
}

/// An item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its number, from 1.
    pub number: u8,
    /// Its name in commands and in JSON.
    pub id: &'static str,
    /// The condition that has to hold, in a few words.
    pub title: &'static str,
    /// Why it matters, and how it is checked.
    pub what: &'static str,
    /// How to get there.
    pub cure: &'static str,
    /// Who can tell.
    pub judge: Judge,
}

const fn item(number: u8, id: &'static str, judge: Judge, texts: [&'static str; 3]) -> Item {
    let [title, what, cure] = texts;
    Item { number, id, title, what, cure, judge }
}

use Judge::{Person, Program};

/// All of them, in the order in which they are best done.
pub const ITEMS: [Item; 20] = [
    item(
        1,
        "region",
        Program,
        [
            "SES may send in this Region",
            "Sandbox, quota and reputation belong to one account in one Region. The check asks \
             SES whether the account may send here at all.",
            "Follow the page of the walk that names the account's state.",
        ],
    ),
    item(
        2,
        "identity",
        Program,
        [
            "The mail domain is verified",
            "SES sends only from verified identities. Verify the whole domain: a single address \
             is not enough for an application.",
            "Set `mail.domain` in galaxy.yaml, run `spaceduck install`, then set the DKIM \
             records, which also verify the domain.",
        ],
    ),
    item(
        3,
        "dkim",
        Program,
        [
            "Emails are signed (DKIM)",
            "Three CNAME records let receivers check the signature. The check queries your \
             zone's own name servers.",
            "Set the three records that `spaceduck mail records` shows.",
        ],
    ),
    item(
        4,
        "mail_from",
        Program,
        [
            "Bounces go to your own domain",
            "A MAIL FROM domain makes SPF count for your domain instead of Amazon's. It needs \
             exactly one MX and one SPF record.",
            "Set the MX and the TXT record that `spaceduck mail records` shows.",
        ],
    ),
    item(
        5,
        "dmarc",
        Program,
        [
            "There is a DMARC policy",
            "It asks receivers what to do with mail that only claims to be yours, and where to \
             report it. A policy on the organisational domain is enough.",
            "Set the TXT record that `spaceduck mail records` shows; start with `p=none`.",
        ],
    ),
    item(
        6,
        "bulk",
        Program,
        [
            "The rules of the large mailbox providers are met",
            "Gmail and Yahoo require SPF, DKIM, DMARC and one-click unsubscribe from bulk \
             senders, and fewer than 3 complaints in 1,000 emails.",
            "Complete items 3, 4, 5 and 11. Google's Postmaster Tools show complaints.",
        ],
    ),
    item(
        7,
        "suppression",
        Program,
        [
            "Addresses that bounced or complained get no more email",
            "The account's suppression list has to cover both bounces and complaints.",
            "Set both reasons in the SES console, under Suppression list and account-level \
             settings.",
        ],
    ),
    item(
        8,
        "sets",
        Program,
        [
            "Codes and newsletter use separate configuration sets",
            "With two configuration sets, complaints about one kind of email do not stop the \
             other. Both require TLS.",
            "Run `spaceduck install`, which creates them.",
        ],
    ),
    item(
        9,
        "events",
        Program,
        [
            "Bounces and complaints reach the event bus",
            "Each set reports every bounce and every complaint to the account's event bus.",
            "Run `spaceduck install`, which sets that up.",
        ],
    ),
    item(
        10,
        "simulator",
        Program,
        [
            "A delivery, a bounce and a complaint were tested",
            "Amazon's mailbox simulator produces them, even in the sandbox. Where the API \
             listens to the event bus, it must have recorded the bounce and the complaint.",
            "Run `spaceduck mail test`.",
        ],
    ),
    item(
        11,
        "one_click",
        Program,
        [
            "One click unsubscribes from the newsletter",
            "Every newsletter has the headers of RFC 8058, and the API unsubscribes without \
             asking back. Our tests cover this for the installed release.",
            "Install a current release with `spaceduck install`.",
        ],
    ),
    item(
        12,
        "opt_in",
        Program,
        [
            "The newsletter goes only to confirmed addresses",
            "An unconfirmed address gets a single email with a confirmation link. Our tests \
             cover this for the installed release.",
            "Install a current release with `spaceduck install`.",
        ],
    ),
    item(
        13,
        "imprint",
        Person,
        [
            "Emails and sites name the sender",
            "Emails and sites name you, with a postal address where the law requires one, and \
             the privacy policy is accurate.",
            "Read your sites and your emails as a stranger would, then run `spaceduck mail \
             confirm imprint`.",
        ],
    ),
    item(
        14,
        "mailboxes",
        Person,
        [
            "abuse@ and postmaster@ reach a person",
            "Receivers and Amazon write there, and DMARC reports go to the address in the record.",
            "Send an email to each, check that you receive it, then run `spaceduck mail confirm \
             mailboxes`.",
        ],
    ),
    item(
        15,
        "contacts",
        Person,
        [
            "Amazon can reach you",
            "Amazon sends its warnings to the account's root address and alternate contacts. If \
             you miss them, you can lose the right to send.",
            "Check Account settings in the AWS console, then run `spaceduck mail confirm \
             contacts`.",
        ],
    ),
    item(
        16,
        "website",
        Program,
        [
            "The website is ready for review",
            "The reviewer opens it. It has to respond over TLS on the domain that sends the \
             emails, with a privacy page and a contact page.",
            "Set `mail.website` in galaxy.yaml to a site on the mail domain or on its \
             organisational domain.",
        ],
    ),
    item(
        17,
        "letter",
        Person,
        [
            "The application is accurate, and sent",
            "You edit the text. It is sent only after you have read it and typed your consent.",
            "Run `spaceduck mail apply`.",
        ],
    ),
    item(
        18,
        "price",
        Person,
        [
            "You know what an email costs",
            "New accounts are on the Essentials plan, at 0.16 USD for 1,000 emails; without a plan \
             it is 0.10 USD.",
            "Choose a plan in the SES console under Pricing plans, then run `spaceduck mail \
             confirm price`.",
        ],
    ),
    item(
        19,
        "insights",
        Program,
        [
            "You have decided on Virtual Deliverability Manager",
            "It shows where your emails land. Outside the Essentials plan it costs extra, so \
             decide whether you want it.",
            "Switch it in the SES console under Virtual Deliverability Manager.",
        ],
    ),
    item(
        20,
        "warm_up",
        Program,
        [
            "Sending grows slowly and is monitored",
            "Alarms fire at 3 % bounces and 0.08 % complaints, before Amazon's review at 5 % \
             and 0.1 %.",
            "After approval, start with sign-up codes, and send newsletters in batches.",
        ],
    ),
];

/// An item by its name.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Item> {
    ITEMS.iter().find(|item| item.id == id)
}

#[cfg(test)]
mod tests {
    use super::{ITEMS, Judge, by_id};

    #[test]
    fn twenty_items_with_numbers_and_names_of_their_own() {
        for (index, item) in ITEMS.iter().enumerate() {
            assert_eq!(usize::from(item.number), index + 1);
            assert_eq!(by_id(item.id), Some(item));
            assert!(item.what.ends_with('.') && item.cure.ends_with('.'), "{}", item.id);
        }
    }

    #[test]
    fn what_only_a_person_knows_says_how_to_answer() {
        for item in ITEMS.iter().filter(|item| item.judge == Judge::Person && item.id != "letter") {
            let command = format!("spaceduck mail confirm {}", item.id);
            assert!(item.cure.contains(&command), "{}", item.id);
        }
    }
}
