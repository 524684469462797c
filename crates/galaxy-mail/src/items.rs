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
    /// What is to be true, in a few words.
    pub title: &'static str,
    /// Why it matters, and how it is looked at.
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
            "Sandbox, quota and reputation belong to one account in one Region. Amazon is asked \
             whether it lets the account send here at all.",
            "Follow the page of the walk that names the account's state.",
        ],
    ),
    item(
        2,
        "identity",
        Program,
        [
            "The mail domain is verified",
            "SES sends only from what it knows to be yours. A whole domain counts; a single \
             address is not enough for an application.",
            "Set `mail.domain` in galaxy.yaml, run `spaceduck install`, then set the DKIM \
             records: they verify the domain, too.",
        ],
    ),
    item(
        3,
        "dkim",
        Program,
        [
            "Mails are signed (DKIM)",
            "Three CNAME records let receivers check the signature. They are asked for at your \
             zone's own name servers.",
            "Set the three records that `spaceduck mail records` shows.",
        ],
    ),
    item(
        4,
        "mail_from",
        Program,
        [
            "Bounces go to a name of yours",
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
            "It tells receivers what to do with mail that only claims to be yours, and where to \
             report it. One at the organisational domain is enough.",
            "Set the TXT record that `spaceduck mail records` shows; begin with `p=none`.",
        ],
    ),
    item(
        6,
        "bulk",
        Program,
        [
            "The rules of the large mailbox providers hold",
            "Gmail and Yahoo want SPF, DKIM, DMARC and one-click unsubscription from whoever \
             sends much, and fewer than 3 complaints in 1,000 mails.",
            "Follows from items 3, 4, 5 and 11. Google's Postmaster Tools show complaints.",
        ],
    ),
    item(
        7,
        "suppression",
        Program,
        [
            "Nobody who bounced or complained is mailed again",
            "The account's own list has to hold both bounces and complaints.",
            "Set both reasons in the SES console, under Suppression list and account-level \
             settings.",
        ],
    ),
    item(
        8,
        "sets",
        Program,
        [
            "Codes and newsletter leave by sets of their own",
            "Two configuration sets keep complaints about one from stopping the other. Both \
             insist on TLS.",
            "Run `spaceduck install`, which makes them.",
        ],
    ),
    item(
        9,
        "events",
        Program,
        [
            "Bounces and complaints are told to the event bus",
            "Each set tells the account's event bus of every bounce and every complaint.",
            "Run `spaceduck install`, which sets that up.",
        ],
    ),
    item(
        10,
        "simulator",
        Program,
        [
            "A delivery, a bounce and a complaint have been played",
            "Amazon's mailbox simulator plays them, also in the sandbox. Where the API listens to \
             the event bus, what counts is that it has written the last two down.",
            "Run `spaceduck mail test`.",
        ],
    ),
    item(
        11,
        "one_click",
        Program,
        [
            "One click ends the newsletter",
            "Every newsletter has the headers of RFC 8058; the API ends it without a question. \
             The release that is installed is tested to do so.",
            "Install a current release with `spaceduck install`.",
        ],
    ),
    item(
        12,
        "opt_in",
        Program,
        [
            "Nobody gets a newsletter who did not confirm it",
            "An address that was only typed in gets one mail with a link. The release that is \
             installed is tested to do so.",
            "Install a current release with `spaceduck install`.",
        ],
    ),
    item(
        13,
        "imprint",
        Person,
        [
            "It is clear who writes",
            "Mails and sites name you, with a postal address where your law asks for one, and \
             there is a privacy policy that is true.",
            "Read your sites and your mails as a stranger would, then `spaceduck mail confirm \
             imprint`.",
        ],
    ),
    item(
        14,
        "mailboxes",
        Person,
        [
            "abuse@ and postmaster@ reach somebody",
            "Receivers and Amazon write there, and DMARC reports go to the address in the record.",
            "Send yourself a mail to each, read it, then `spaceduck mail confirm mailboxes`.",
        ],
    ),
    item(
        15,
        "contacts",
        Person,
        [
            "Amazon can reach you",
            "Warnings about sending go to the account's root address and its alternate contacts. \
             Whoever misses them loses the right to send.",
            "Look at Account settings in the AWS console, then `spaceduck mail confirm contacts`.",
        ],
    ),
    item(
        16,
        "website",
        Program,
        [
            "The website stands up to a look",
            "Whoever reviews the application opens it: it has to answer over TLS on the domain \
             that the mails come from, with a privacy page and a contact page.",
            "Name a site on the mail domain, or on one beside it, under `mail.website` in \
             galaxy.yaml.",
        ],
    ),
    item(
        17,
        "letter",
        Person,
        [
            "The application is sent, and true",
            "You read and change the text; nothing is sent that you have not seen and agreed to \
             by typing so.",
            "Run `spaceduck mail apply`.",
        ],
    ),
    item(
        18,
        "price",
        Person,
        [
            "You know what a mail costs",
            "New accounts are on the Essentials plan, at 0.16 USD for 1,000 mails; without a plan \
             it is 0.10 USD.",
            "Choose in the SES console under Pricing plans, then `spaceduck mail confirm price`.",
        ],
    ),
    item(
        19,
        "insights",
        Program,
        [
            "Virtual Deliverability Manager is as you want it",
            "It shows where mails land. Outside the Essentials plan it costs extra; it is shown \
             here so that nobody pays for it unknowingly.",
            "Switch it in the SES console under Virtual Deliverability Manager.",
        ],
    ),
    item(
        20,
        "warm_up",
        Program,
        [
            "Sending grows slowly and is watched",
            "Alarms go off at 3 % bounces and 0.08 % complaints, before Amazon's review at 5 % \
             and 0.1 %.",
            "After the grant, begin with those who wait for codes; send a newsletter in portions.",
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
