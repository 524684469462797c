//! A galaxy of 10⁸ ducklings at 10⁴ requests a second: what each partition key has to take, by the
//! units that were measured for each call. The page `duckcontrol/routine/growth` shows it.
//!
//! DynamoDB serves at most 1,000 write and 3,000 read units a second of one partition key. Source:
//! "Best practices for designing and using partition keys effectively", Developer Guide.

use std::collections::{BTreeMap, HashMap};

use super::capacity::Units;
use super::costs::Row;
use crate::dynamo::{AUDIT_SHARDS, COUNT_PARTS, QUEUES};

/// What one partition key takes at most, a second.
const LIMIT: Units = Units { reads: 3000.0, writes: 1000.0 };

/// Requests a second, and for how many seconds they are played.
const RATE: u32 = 10_000;
const SECONDS: u32 = 10;

/// How many ducklings there are; how many of them are so popular that each hundredth thing is
/// about one of these.
const DUCKLINGS: u64 = 100_000_000;
const POPULAR: u64 = 100;

/// Of a thousand requests, how many are of each kind: agents that pulse, look and bond. One in
/// eight changes something that is counted, which is more than any galaxy we know of does.
const MIX: [(&str, u32); 26] = [
    ("POST /pulse", 420),
    ("GET /pecks, 20 entries", 110),
    ("GET /pecks/{peck_id}", 60),
    ("GET /me", 60),
    ("GET /ducks/{duckling_id}", 40),
    ("POST /peck", 60),
    ("POST /approve, both sides climb", 15),
    ("POST /approve", 20),
    ("POST /deny", 10),
    ("POST /unpeck", 10),
    ("GET /certificate", 20),
    ("GET /certificates/{cert_id}", 40),
    ("POST /certificates/verify", 50),
    ("GET /jwks.json", 5),
    ("GET /audit, own, 20 entries", 10),
    ("GET /audit, operator, 20 entries", 1),
    ("GET /metrics", 5),
    ("GET /system/status", 5),
    ("POST /hatch", 8),
    ("POST /resend", 2),
    ("POST /verify", 6),
    ("POST /signin", 15),
    ("POST /refresh", 20),
    ("POST /keys/rotate", 3),
    ("POST /tier/request", 1),
    ("PATCH /me", 4),
];

/// Where a unit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// One of so many partitions, by chance.
    Shards(u64),
    /// A partition that all share.
    Single,
    /// A partition of one duckling, peck, address or caller.
    Own,
}

fn family(place: &str, key: &str) -> (String, Family) {
    let sort = key.split('#').next().unwrap_or(key);
    let name = |sort: &str| format!("{place} `{sort}`");
    if place != "ledger" {
        let all = key == "(all)";
        return (place.to_owned(), if all { Family::Single } else { Family::Own });
    }
    match sort {
        "metrics" if key != sort => (name("metrics#N"), Family::Shards(COUNT_PARTS.into())),
        "due" if key != sort => (name("due#NN"), Family::Shards(QUEUES.into())),
        "audit" if key.starts_with("audit#s") => {
            (name("audit#sNN"), Family::Shards(AUDIT_SHARDS.into()))
        }
        "audit" if key.starts_with("audit#w") => (name("audit#w…"), Family::Single),
        _ if key == sort => (name(key), Family::Single),
        _ => (name(&format!("{sort}#…")), Family::Own),
    }
}

/// xorshift64*: the same seed plays the same seconds.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 20) % bound
    }

    fn actor(&mut self) -> u64 {
        if self.below(100) == 0 { self.below(POPULAR) } else { self.below(DUCKLINGS) }
    }
}

/// What was found out.
pub(super) struct Load {
    /// By family: how many keys it has, if it has a number, and what the busiest takes in its
    /// busiest second.
    pub(super) busiest: BTreeMap<String, (Option<u64>, Units)>,
    /// By table or index: units a request, on average.
    pub(super) tables: BTreeMap<String, Units>,
}

/// Plays the mix.
pub(super) fn play(rows: &[Row]) -> Load {
    assert_eq!(MIX.iter().map(|(_, share)| share).sum::<u32>(), 1000);
    let row = |call: &str| {
        let found = rows.iter().find(|row| row.call == call);
        found.unwrap_or_else(|| panic!("{call} was not played"))
    };
    let mut names: Vec<(String, Family)> = Vec::new();
    let mut kinds = Vec::new();
    for (call, share) in MIX {
        let mut parts = Vec::new();
        for ((place, key), units) in &row(call).bill {
            let family = family(place, key);
            let at = names.iter().position(|one| *one == family).unwrap_or_else(|| {
                names.push(family);
                names.len() - 1
            });
            parts.push((at, *units));
        }
        // In an order that does not come from ids, which are others in each run.
        parts.sort_by(|(a, one), (b, other)| {
            let units = |units: &Units| (units.writes + units.reads / 1000.0).to_bits();
            (&names[*a].0, units(one)).cmp(&(&names[*b].0, units(other)))
        });
        kinds.extend(std::iter::repeat_n(parts, share as usize));
    }
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut load = Load { busiest: BTreeMap::new(), tables: BTreeMap::new() };
    for _ in 0..SECONDS {
        let mut keys: HashMap<(usize, u64), Units> = HashMap::new();
        for _ in 0..RATE {
            let kind = usize::try_from(dice.below(1000)).expect("small");
            for (at, units) in &kinds[kind] {
                let key = match names[*at].1 {
                    Family::Shards(number) => dice.below(number),
                    Family::Single => 0,
                    Family::Own => dice.actor(),
                };
                let taken = keys.entry((*at, key)).or_default();
                taken.reads += units.reads;
                taken.writes += units.writes;
            }
        }
        for ((at, _), units) in keys {
            let (name, family) = &names[at];
            let number = match family {
                Family::Shards(number) => Some(*number),
                Family::Single => Some(1),
                Family::Own => None,
            };
            let most =
                &mut load.busiest.entry(name.clone()).or_insert((number, Units::default())).1;
            most.reads = most.reads.max(units.reads);
            most.writes = most.writes.max(units.writes);
            let table = name.split(' ').next().unwrap_or(name);
            let all = load.tables.entry(table.to_owned()).or_default();
            all.reads += units.reads / f64::from(RATE * SECONDS);
            all.writes += units.writes / f64::from(RATE * SECONDS);
        }
    }
    load
}

/// No key has to take more than half of what DynamoDB gives one.
pub(super) fn no_key_is_hot(load: &Load) {
    for (name, (_, most)) in &load.busiest {
        assert!(most.writes <= LIMIT.writes / 2.0, "{name} writes {}", most.writes);
        assert!(most.reads <= LIMIT.reads / 2.0, "{name} reads {}", most.reads);
    }
}

/// The busiest partitions that more than one caller shares.
pub(super) fn keys(load: &Load) -> String {
    let mut text = String::from(
        "| partition | keys | write units a second | read units a second |\n\
         | --- | --: | --: | --: |\n",
    );
    let shared = load.busiest.iter().filter(|(_, (number, _))| number.is_some());
    let own = load.busiest.iter().filter(|(_, (number, _))| number.is_none());
    let most = own.fold(Units::default(), |most, (_, (_, units))| Units {
        reads: most.reads.max(units.reads),
        writes: most.writes.max(units.writes),
    });
    let line = |name: &str, number: String, units: Units| {
        format!("| {name} | {number} | {:.0} | {:.0} |\n", units.writes, units.reads)
    };
    text.extend(shared.map(|(name, (number, units))| {
        line(name, number.map_or_else(String::new, |number| number.to_string()), *units)
    }));
    text.push_str(&line("of one duckling, peck or address", "all others".into(), most));
    text.push_str(&line("at most, by DynamoDB", "each".into(), LIMIT));
    text
}

/// Units a second of each table at growing rates.
pub(super) fn tables(load: &Load) -> String {
    let head = "| table or index | at 100 a second | at 1,000 a second | at 10,000 a second |\n\
                | --- | --: | --: | --: |\n";
    let line = |(table, units): (&String, &Units)| {
        let [few, some, many] = [100.0, 1000.0, 10_000.0].map(|rate| {
            let [writes, reads] = [units.writes, units.reads].map(|one| (one * rate).ceil());
            format!("{writes:.0} W, {reads:.0} R")
        });
        format!("| {table} | {few} | {some} | {many} |\n")
    };
    std::iter::once(head.to_owned()).chain(load.tables.iter().map(line)).collect()
}
