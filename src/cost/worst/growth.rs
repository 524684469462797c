//! What a growing galaxy costs a month, by the units that a test of `beak-aws` has measured and
//! written into `duckcontrol/routine/growth`.

use super::{
    CALLS, FUNCTION, LITE, LOGGED, LOGS, MAILS, MONTH, TABLES, ceiling, stepped, thousands,
};

/// The page, below `pages`.
pub(in crate::cost) const PAGE: &str = "duckcontrol/routine/growth.md";

/// Ducklings, and their requests a second: nine a day for each.
const SIZES: [(f64, f64); 3] = [(1e6, 100.0), (1e7, 1000.0), (1e8, 10_000.0)];

/// Of all owners, the part that signs in within a month; and mails for each of all.
const ACTIVE: f64 = 0.1;
const MAILS_EACH: f64 = 0.1;

/// What a call takes of the function: seconds, and GB of memory.
const CALL: (f64, f64) = (0.02, 0.25);

/// What is billed, in the order of the table.
const WHAT: [&str; 6] =
    ["units of the tables", "gateway", "function", "logs", "people who sign in", "mails"];

/// Units of all tables and indexes a second, written and read, in a column of the measured table.
fn units(page: &str, column: usize) -> (f64, f64) {
    let begin = page.find("| table or index |").expect("the measured table");
    let rows = page[begin..].lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.fold((0.0, 0.0), |(written, read), row| {
        let cell = row.split('|').nth(2 + column).expect("a column").trim();
        let (writes, reads) = cell.split_once(" W, ").expect("both");
        let number = |text: &str| text.parse::<f64>().expect("a number");
        (written + number(writes), read + number(reads.strip_suffix(" R").expect("units")))
    })
}

/// Cents a month, in the order of [`WHAT`].
fn month(page: &str, column: usize) -> [f64; 6] {
    let (ducklings, rate) = SIZES[column];
    let (written, read) = units(page, column);
    let millions = rate * MONTH / 1e6;
    [
        (written * TABLES.1 + read * TABLES.0) * MONTH / 1e6,
        millions.min(300.0) * CALLS.0 + (millions - 300.0).max(0.0) * CALLS.1,
        millions * FUNCTION.0 + rate * MONTH * CALL.0 * CALL.1 * FUNCTION.1,
        rate * MONTH * LOGGED / 1e9 * LOGS,
        stepped(LITE, ducklings * ACTIVE),
        ducklings * MAILS_EACH / 1000.0 * MAILS,
    ]
}

/// The table of prices, in Markdown.
pub(in crate::cost) fn table(page: &str) -> String {
    let months = [0, 1, 2].map(|column| month(page, column));
    let line = |what: &'static str, of: &dyn Fn(&[f64; 6]) -> f64| {
        let dollars = |one: &[f64; 6]| thousands(ceiling(what, String::new(), of(one)).dollars);
        let [few, some, many] = [0, 1, 2].map(|column| dollars(&months[column]));
        format!("| {what} | ${few} | ${some} | ${many} |")
    };
    let mut lines = vec![
        "| a month | 10⁶ ducklings | 10⁷ | 10⁸ |".to_owned(),
        "| --- | --: | --: | --: |".to_owned(),
    ];
    lines.extend(WHAT.iter().enumerate().map(|(at, what)| line(what, &|month| month[at])));
    lines.push(line("all of it", &|month| month.iter().sum()));
    lines.join("\n")
}
