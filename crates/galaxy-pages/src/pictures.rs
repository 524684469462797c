//! Pictures drawn from facts: SVG in the text, in the colours of the page, so that both themes have
//! them. Each says in words what it shows. A page names one in a block of the language `picture`.
//!
//! They are as wide as a phone. A library for charts would bring styles in tags, which our policy
//! forbids, and would not know the shapes that are wanted here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::markdown::escape;
use crate::reference::facts::{Api, Installer, Stack};

/// Name → `<figure>`.
pub(crate) type Pictures = BTreeMap<&'static str, String>;

/// Points from the left to the right edge.
const WIDTH: u32 = 360;

/// All pictures for which there are facts.
pub(crate) fn all(api: Option<&Api>, installer: Option<&Installer>) -> Pictures {
    let mut pictures = Pictures::new();
    if let Some(api) = api {
        pictures.insert("tiers", tiers(api));
        pictures.insert("peck-states", peck_states());
    }
    if let Some(installer) = installer {
        pictures.insert("architecture", architecture(installer));
        pictures.insert("install-time", install_time(installer));
        pictures.insert("cost", cost(installer));
        pictures.insert("mail-walk", mail_walk(installer));
    }
    pictures
}

/// Where something is drawn.
#[derive(Clone, Copy)]
struct Area {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// The height of a card.
const CARD: u32 = 46;

/// The height of a bar.
const BAR: u32 = 14;

fn area(x: u32, y: u32, width: u32, height: u32) -> Area {
    Area { x, y, width, height }
}

/// What is being drawn.
struct Drawing {
    shapes: String,
    height: u32,
}

impl Drawing {
    fn new() -> Self {
        Self { shapes: String::new(), height: 0 }
    }

    fn shape(&mut self, shape: &str, bottom: u32) {
        self.shapes.push_str(shape);
        self.height = self.height.max(bottom);
    }

    fn text(&mut self, (x, y): (u32, u32), class: &str, text: &str) {
        let text = format!("<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>", escape(text));
        self.shape(&text, y + 6);
    }

    fn bar(&mut self, Area { x, y, width, height }: Area, class: &str) {
        let bar = format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\" \
             class=\"{class}\"/>"
        );
        self.shape(&bar, y + height + 2);
    }

    /// A box with a title and a line below it.
    fn card(&mut self, area: Area, title: &str, below: &str, class: &str) {
        let (x, y) = (area.x, area.y);
        self.bar(area, class);
        let text = if class == "hot" { "hot-text" } else { "" };
        let faint = if class == "hot" { "hot-text small" } else { "faint" };
        self.text((x + 10, y + 19), text, title);
        self.text((x + 10, y + 37), faint, below);
    }

    /// A line with a tip at its end, straight down or along the points given.
    fn arrow(&mut self, points: &[(u32, u32)]) {
        let mut line = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            // Writing to a String can't fail.
            let _ = write!(line, "{}{x} {y}", if at == 0 { "M" } else { "L" });
        }
        self.shape(&format!("<path d=\"{line}\" class=\"way\"/>"), 0);
        if let [.., before, (x, y)] = points {
            let tip = if before.0 == *x && before.1 > *y {
                format!("M{} {}l5-8 5 8z", x.saturating_sub(5), y + 4)
            } else if before.0 == *x {
                format!("M{} {}l5 8 5-8z", x - 5, y - 4)
            } else {
                let (back, turn) =
                    if before.0 < *x { (x - 4, "8 5-8 5") } else { (x + 4, "-8 5 8 5") };
                format!("M{back} {}l{turn}z", y - 5)
            };
            self.shape(&format!("<path d=\"{tip}\" class=\"tip\"/>"), 0);
        }
    }

    /// The picture with its title and with what it shows in words.
    fn figure(&self, name: &str, title: &str, words: &str, caption: &str) -> String {
        format!(
            "<figure class=\"picture\"><svg class=\"draw slim\" viewBox=\"-1 -1 {WIDTH} {}\" \
             role=\"img\" aria-labelledby=\"{name}-title {name}-words\">\
             <title id=\"{name}-title\">{}</title><desc id=\"{name}-words\">{}</desc>{}</svg>\
             <figcaption>{}</figcaption></figure>\n",
            self.height + 4,
            escape(title),
            escape(words),
            self.shapes,
            escape(caption)
        )
    }
}

/// A number with commas between its thousands.
fn grouped(number: u32) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

/// A step for each tier, with what it allows and how it is reached.
fn tiers(api: &Api) -> String {
    let mut drawing = Drawing::new();
    let reached = ["verify an email address", "first approved bond", "an operator grants it"];
    let mut words = Vec::new();
    let count = u32::try_from(api.tiers.len()).unwrap_or(1);
    for (at, tier) in (0..).zip(&api.tiers) {
        let (x, y) = (at * 40, (count - 1 - at) * 84);
        let limits = format!(
            "{} requests a minute, {} bonds",
            grouped(tier.requests_per_minute),
            grouped(tier.bonds)
        );
        let how = reached.get(at as usize).copied().unwrap_or_default();
        let class = if at == 0 { "shape" } else { "hot" };
        drawing.card(area(x, y + 24, 276, CARD), &tier.word, &limits, class);
        drawing.text((x + 16, y + 14), "faint", how);
        words.push(format!("{}: {how}; {limits}", tier.word));
        if at > 0 {
            drawing.arrow(&[(x + 4, y + 108), (x + 4, y + 76)]);
        }
    }
    drawing.figure(
        "tiers",
        "The ladder of trust tiers",
        &words.join(". "),
        "Each step up raises the limits. T1 is automatic; an operator grants T2.",
    )
}

/// A peck's five states and the ways between them. `beak-core` has the same as types.
fn peck_states() -> String {
    let mut drawing = Drawing::new();
    let ways: [(&str, &str, &str); 4] = [
        ("approve", "approved", "a bond, until an unpeck"),
        ("deny", "denied", "by the receiver"),
        ("24 hours pass", "expired", "no answer in time"),
        ("unpeck", "revoked", "withdrawn by the sender"),
    ];
    drawing.card(area(0, 0, 150, CARD), "pending", "waits for an answer", "hot");
    for (at, (way, state, meaning)) in (0..).zip(ways) {
        let y = 70 + at * 66;
        drawing.arrow(&[(20, 46), (20, y + 24), (150, y + 24)]);
        drawing.text((32, y + 18), "faint", way);
        drawing.card(area(154, y, 184, CARD), state, meaning, "shape");
    }
    drawing.arrow(&[(338, 93), (354, 93), (354, 291), (342, 291)]);
    drawing.figure(
        "peck-states",
        "The five states of a peck",
        "A pending peck becomes approved when the receiver approves it, denied when the receiver \
         denies it, expired after 24 hours without an answer, and revoked when the sender \
         withdraws it. An approved peck becomes revoked when either side unpecks.",
        "A peck starts as pending. Only an approved peck is a bond, and either side can end it.",
    )
}

/// The stacks, and what is in front of and behind the function.
fn architecture(installer: &Installer) -> String {
    let mut drawing = Drawing::new();
    let has = |name: &str| installer.stacks.iter().any(|stack| stack.name == name);
    let rows: [(&str, &str, &str); 3] = [
        ("data", "six tables and the signing key", "DynamoDB, KMS"),
        ("auth", "people, passwords and codes", "Cognito"),
        ("mail", "sending, bounces and alarms", "SES"),
    ];
    drawing.card(area(0, 0, 170, CARD), "browsers", "people and operators", "shape");
    drawing.card(area(186, 0, 170, CARD), "agents", "SDK, skill or curl", "shape");
    drawing.arrow(&[(60, 46), (60, 74)]);
    drawing.arrow(&[(270, 46), (270, 152)]);
    drawing.card(area(0, 78, 250, CARD), "five sites", "CloudFront, S3", "shape");
    drawing.arrow(&[(60, 124), (60, 152)]);
    drawing.card(
        area(0, 156, 356, CARD),
        "api: the Beak",
        "API Gateway and one Lambda function",
        "hot",
    );
    let mut words = vec![
        "Browsers open five sites, which CloudFront serves from S3".to_owned(),
        "Browsers and agents call the Beak: API Gateway in front of one Lambda function".to_owned(),
    ];
    let mut y = 230;
    for (name, what, services) in rows.iter().filter(|(name, ..)| has(name)) {
        drawing.arrow(&[(14, 202), (14, y + 24), (36, y + 24)]);
        drawing.card(area(40, y, 316, CARD), &format!("{name}: {services}"), what, "shape");
        words.push(format!("The function uses {services} in the stack {name}: {what}"));
        y += 58;
    }
    drawing.figure(
        "architecture",
        "What a galaxy consists of in AWS",
        &words.join(". "),
        "One function behind one gateway, five static sites, and three stacks that keep the data.",
    )
}

/// When a stack starts: after those that it waits for, and all after the first.
fn start(stack: &Stack, stacks: &[Stack]) -> u64 {
    let end = |name: &String| {
        let found = stacks.iter().find(|other| &other.name == name);
        found.map_or(0, |other| start(other, stacks) + other.seconds)
    };
    stack.waits_for.iter().map(end).max().unwrap_or(0)
}

/// The stacks as bars over time.
fn install_time(installer: &Installer) -> String {
    let stacks = &installer.stacks;
    let mut drawing = Drawing::new();
    let end = stacks.iter().map(|stack| start(stack, stacks) + stack.seconds).max().unwrap_or(1);
    let scale = |seconds: u64| u32::try_from(seconds * 350 / end.max(1)).unwrap_or(0);
    let mut words = Vec::new();
    for (at, stack) in (0..).zip(stacks) {
        let (from, seconds, y) = (start(stack, stacks), stack.seconds, at * 44);
        let name = if stack.name == "site" { "five sites, at once" } else { &stack.name };
        drawing.text((0, y + 14), "", name);
        drawing.text((200, y + 14), "faint", &format!("{from} s to {} s", from + seconds));
        drawing.bar(area(0, y + 20, 350, BAR), "track");
        drawing.bar(area(scale(from), y + 20, scale(seconds).max(4), BAR), "hot");
        words.push(format!("{name}: from second {from} to second {}", from + seconds));
    }
    drawing.figure(
        "install-time",
        "An install in time, stack by stack",
        &words.join(". "),
        "As a rehearsal plays it: everything that waits for nothing runs at once.",
    )
}

/// What each stack costs a month.
fn cost(installer: &Installer) -> String {
    let sum = |stack: &Stack, pick: fn(&crate::reference::facts::Cost) -> u32| -> u32 {
        stack.costs.iter().map(pick).sum()
    };
    let mut drawing = Drawing::new();
    let most = installer.stacks.iter().map(|stack| sum(stack, |cost| cost.small_cents)).max();
    let most = most.unwrap_or(1).max(1);
    let dollars = |cents: u32| format!("${}.{:02}", cents / 100, cents % 100);
    let mut words = Vec::new();
    let paid = installer.stacks.iter().filter(|stack| !stack.costs.is_empty());
    for (at, stack) in (0..).zip(paid) {
        let (idle, small) =
            (sum(stack, |cost| cost.idle_cents), sum(stack, |cost| cost.small_cents));
        let y = at * 44;
        let name = if stack.name == "site" { "five sites" } else { &stack.name };
        drawing.text((0, y + 14), "", name);
        let both = format!("{} idle, {} small galaxy", dollars(idle), dollars(small));
        drawing.text((130, y + 14), "faint", &both);
        drawing.bar(area(0, y + 20, (small * 350 / most).max(2), BAR), "hot");
        drawing.bar(area(0, y + 20, (idle * 350 / most).max(2), BAR), "deep");
        words.push(format!("{name}: {both}"));
    }
    drawing.figure(
        "cost",
        "What a galaxy costs a month",
        &words.join(". "),
        "Dark: idle. Light: a small galaxy with 1,000 people. List prices of us-east-1.",
    )
}

/// The checklist in its order, with who checks each item.
fn mail_walk(installer: &Installer) -> String {
    let mut drawing = Drawing::new();
    let mut words = Vec::new();
    drawing.arrow(&[(14, 14), (14, 30 * u32::try_from(installer.mail.len()).unwrap_or(1) + 4)]);
    for (at, item) in (0..).zip(&installer.mail) {
        let y = at * 30;
        let (class, who) =
            if item.judge == "program" { ("shape", "checked") } else { ("hot", "you confirm") };
        drawing.shape(
            &format!("<circle cx=\"14\" cy=\"{}\" r=\"9\" class=\"{class}\"/>", y + 14),
            y + 26,
        );
        drawing.text((34, y + 19), "small", &format!("{}. {}", item.number, item.title));
        words.push(format!("{}. {} ({who})", item.number, item.title));
    }
    drawing.arrow(&[(14, drawing.height), (14, drawing.height + 20)]);
    let y = drawing.height + 22;
    drawing.card(area(0, y, 250, CARD), "Apply", "Amazon answers within a day or two", "hot");
    drawing.figure(
        "mail-walk",
        "The way out of the SES sandbox",
        &words.join(" "),
        "Twenty items, in the best order. The program checks most; you confirm the yellow ones.",
    )
}
