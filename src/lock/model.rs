//! A model of the lock, searched exhaustively: three runs with one host name and one process id,
//! each paused, stopped or killed at any point, whose calls arrive late and in any order.
//!
//! Runs decide by [`decide`] and [`standing`], as the lock itself does. The search is our own: a
//! queue and a set are all it takes, and a model checker would bring a web server along.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::decide::{Claim, Claims, Decision, Holder, LEASE, Standing, State, decide, standing};

/// How many runs want the lock.
const RUNS: usize = 3;
/// Its number among the runs.
const NAMES: [&str; RUNS] = ["a", "b", "c"];
/// How often time may pass by more than a lease.
const PAUSES: u64 = 2;

/// What the protocol consists of. Without one of them the search has to find a violation.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each rule is on or off")]
struct Rules {
    /// Whether runs write the pointer; else they run change sets.
    writes: bool,
    /// A holder looks before an effect.
    looks: bool,
    /// A holder retires what an unfinished one has left, before its own effects.
    retires: bool,
    /// The pointer is only written over the one that was seen.
    conditional: bool,
    /// A run that ends says whether its calls have ended.
    says_stopped: bool,
    /// A released entry stays, so that its number is never used again.
    keeps_highest: bool,
}

const ALL: Rules = Rules {
    writes: true,
    looks: true,
    retires: true,
    conditional: true,
    says_stopped: true,
    keeps_highest: true,
};

/// An effect of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Effect {
    /// Writes the pointer over the version that was seen.
    Write { seen: u8 },
    /// Runs the change set that was made under the run's number.
    Execute,
}

/// A call on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Call {
    Create,
    Prepare,
    Sign { seen: u8 },
    Effect(Effect),
    Beat,
    End(State),
}

/// How far a run is. It waits for the call that it has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    Idle,
    Create,
    Created,
    Sign,
    /// It holds the lock and reads what its effects go by.
    Holding,
    Prepare,
    Prepared,
    Acting,
    Acted,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Run {
    at: At,
    number: u64,
    unfinished: bool,
    /// Whether it has sent a heartbeat. One is enough: a second one writes the same.
    beaten: bool,
}

/// Number → run, state and when it was last written.
type Entries = BTreeMap<u64, (usize, State, u64)>;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct World {
    pauses: u64,
    entries: Entries,
    /// The pointer's version.
    pointer: u8,
    /// Change sets, by the number they were made under.
    sets: BTreeSet<u64>,
    runs: [Run; RUNS],
    calls: BTreeSet<(usize, Call)>,
    /// The latest holder that was ready for effects.
    holder: Option<(u64, usize)>,
    /// The effect of another run that took hold after that.
    violation: Option<(u64, usize, Effect)>,
}

fn holder(run: usize, state: State) -> Holder {
    Holder {
        run: NAMES[run].into(),
        state,
        // The same machine and process as far as names go, and clocks that are far apart.
        command: "install".into(),
        host: "ci".into(),
        process: 1,
        since: u64::try_from(run).unwrap() * 1_000_000,
        beats: 0,
        lease: LEASE,
    }
}

impl World {
    fn start() -> Self {
        let run = Run { at: At::Idle, number: 0, unfinished: false, beaten: false };
        Self {
            pauses: 0,
            entries: BTreeMap::new(),
            pointer: 0,
            sets: BTreeSet::new(),
            runs: [run; RUNS],
            calls: BTreeSet::new(),
            holder: None,
            violation: None,
        }
    }

    fn now(&self) -> u64 {
        1 + self.pauses * (LEASE + 1)
    }

    /// The entries as the lock reads them. Each set of entries is read once.
    fn with_claims<T>(&self, act: impl FnOnce(&Claims) -> T) -> T {
        thread_local! {
            static READ: RefCell<HashMap<Entries, Claims>> = RefCell::default();
        }
        let one = |(number, (run, state, changed_at)): (&u64, &(usize, State, u64))| {
            (*number, Claim { holder: Some(holder(*run, *state)), changed_at: *changed_at })
        };
        READ.with_borrow_mut(|read| {
            if !read.contains_key(&self.entries) {
                read.insert(self.entries.clone(), self.entries.iter().map(one).collect());
            }
            act(&read[&self.entries])
        })
    }

    fn is_mine(&self, run: usize) -> bool {
        let number = self.runs[run].number;
        self.with_claims(|claims| standing(claims, number, NAMES[run]) == Standing::Mine)
    }

    /// Everything that can happen next.
    fn next(&self, rules: Rules) -> Vec<Self> {
        let mut all = Vec::new();
        if self.pauses < PAUSES {
            all.push(Self { pauses: self.pauses + 1, ..self.clone() });
        }
        for (run, call) in &self.calls {
            let mut then = self.clone();
            then.calls.remove(&(*run, *call));
            then.arrive(*run, *call, rules);
            all.push(then);
        }
        for run in 0..RUNS {
            self.steps(run, rules, &mut all);
        }
        all
    }

    fn sent(&self, run: usize, at: At, call: Call) -> Self {
        let mut then = self.moved(run, at);
        then.calls.insert((run, call));
        then
    }

    fn moved(&self, run: usize, at: At) -> Self {
        let mut then = self.clone();
        then.runs[run].at = at;
        then
    }

    /// What a run can do next. Doing nothing is being paused; doing nothing for ever, killed. A
    /// pause between a read and a call is the same as a slow call.
    fn steps(&self, run: usize, rules: Rules, all: &mut Vec<Self>) {
        let me = self.runs[run];
        let lost = || self.moved(run, At::Over);
        match me.at {
            // All runs are alike: that they begin in their order leaves nothing out.
            At::Idle if run > 0 && self.runs[run - 1].at == At::Idle => return,
            // Clock and entries in one step: a pause in between makes a holder look younger.
            At::Idle => all.push(self.decided(run)),
            At::Created if !self.is_mine(run) => all.push(lost()),
            At::Created => all.push(self.settled(run, rules)),
            At::Holding if rules.writes => {
                all.push(self.checked(run, Effect::Write { seen: self.pointer }, rules));
            }
            At::Holding => all.push(self.sent(run, At::Prepare, Call::Prepare)),
            At::Prepared => all.push(self.checked(run, Effect::Execute, rules)),
            At::Acted => all.push(self.ended(run, State::Released, rules)),
            At::Create | At::Sign | At::Prepare | At::Acting => {}
            At::Over => return,
        }
        let holds = !matches!(me.at, At::Idle | At::Create | At::Created);
        if holds {
            all.push(self.ended(run, State::Stopped, rules));
            self.heartbeat(run, all);
        }
    }

    /// Removes entries and change sets of lower numbers. Neither can do harm when it is late.
    fn settled(&self, run: usize, rules: Rules) -> Self {
        let mut then = self.clone();
        let Run { number, unfinished, .. } = self.runs[run];
        then.entries.retain(|entry, _| *entry >= number);
        if unfinished && rules.retires {
            then.sets.retain(|set| *set >= number);
        }
        let signs = unfinished && rules.retires && rules.writes;
        then.go_on(run, if signs { At::Sign } else { At::Holding });
        then
    }

    fn heartbeat(&self, run: usize, all: &mut Vec<Self>) {
        if !self.runs[run].beaten && self.pauses > 0 && self.is_mine(run) {
            let mut then = self.clone();
            then.runs[run].beaten = true;
            then.calls.insert((run, Call::Beat));
            all.push(then);
        }
    }

    fn decided(&self, run: usize) -> Self {
        let (number, unfinished) = match self.with_claims(|claims| decide(claims, self.now())) {
            Decision::First => (1, false),
            Decision::Create { number, unfinished } => (number, unfinished),
            Decision::Held { .. } => return self.moved(run, At::Over),
        };
        let mut then = self.sent(run, At::Create, Call::Create);
        (then.runs[run].number, then.runs[run].unfinished) = (number, unfinished);
        then
    }

    fn checked(&self, run: usize, effect: Effect, rules: Rules) -> Self {
        let may = !rules.looks || self.is_mine(run);
        if may {
            self.sent(run, At::Acting, Call::Effect(effect))
        } else {
            self.moved(run, At::Over)
        }
    }

    fn ended(&self, run: usize, state: State, rules: Rules) -> Self {
        let state = if rules.says_stopped { state } else { State::Released };
        self.sent(run, At::Over, Call::End(state))
    }

    fn arrive(&mut self, run: usize, call: Call, rules: Rules) {
        let Run { at, number, .. } = self.runs[run];
        let now = self.now();
        let mut next = None;
        match call {
            Call::Create if self.entries.contains_key(&number) => next = Some(At::Over),
            Call::Create => {
                self.entries.insert(number, (run, State::Held, now));
                next = Some(At::Created);
            }
            Call::Sign { seen } if seen == self.pointer => {
                self.pointer += 1;
                next = Some(At::Holding);
            }
            Call::Sign { .. } => next = Some(At::Sign),
            Call::Prepare => {
                self.sets.insert(number);
                next = Some(At::Prepared);
            }
            Call::Effect(effect) => {
                self.take_hold(run, effect, rules);
                next = Some(At::Acted);
            }
            Call::Beat => {
                self.entries.insert(number, (run, State::Held, now));
            }
            Call::End(State::Released) if !rules.keeps_highest => {
                self.entries.remove(&number);
            }
            Call::End(state) => {
                self.entries.insert(number, (run, state, now));
            }
        }
        if let (Some(next), false) = (next, at == At::Over) {
            self.go_on(run, next);
        }
    }

    /// What a run does at once when an answer arrives.
    fn go_on(&mut self, run: usize, at: At) {
        self.runs[run].at = at;
        match at {
            At::Sign => {
                self.calls.insert((run, Call::Sign { seen: self.pointer }));
            }
            At::Holding => self.holder = self.holder.max(Some((self.runs[run].number, run))),
            _ => {}
        }
    }

    /// Forgets what can no longer matter, so that states which differ in it alone are one.
    fn without_the_past(mut self) -> Self {
        for (run, me) in self.runs.iter_mut().enumerate().filter(|(_, me)| me.at == At::Over) {
            (me.unfinished, me.beaten) = (false, false);
            if !self.calls.iter().any(|(of, _)| *of == run) {
                me.number = 0;
            }
        }
        self
    }

    fn take_hold(&mut self, run: usize, effect: Effect, rules: Rules) {
        let number = self.runs[run].number;
        let takes_hold = match effect {
            Effect::Write { seen } => !rules.conditional || seen == self.pointer,
            Effect::Execute => self.sets.remove(&number),
        };
        if !takes_hold {
            return;
        }
        if matches!(effect, Effect::Write { .. }) {
            self.pointer += 1;
        }
        let by_another = self.holder.is_some_and(|(at, holder)| at >= number && holder != run);
        if by_another {
            self.violation = Some((number, run, effect));
        }
    }
}

/// Searches everything that can happen; the first violation, and how many states there are.
fn search(rules: Rules) -> (Option<World>, usize) {
    let mut known = HashSet::from([World::start()]);
    let mut open = vec![World::start()];
    while let Some(world) = open.pop() {
        for next in world.next(rules) {
            if next.violation.is_some() {
                return (Some(next), known.len());
            }
            let next = next.without_the_past();
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    (None, known.len())
}

fn only_the_latest_holder_has_effects(writes: bool) {
    let (violation, states) = search(Rules { writes, ..ALL });
    assert_eq!(violation, None);
    assert!(states > 100_000, "{states}: the model does next to nothing");
}

#[test]
fn only_the_latest_holder_writes_the_pointer() {
    only_the_latest_holder_has_effects(true);
}

#[test]
fn only_the_latest_holder_runs_a_change_set() {
    only_the_latest_holder_has_effects(false);
}

#[test]
fn each_rule_is_needed() {
    let without = [
        ("looks", Rules { looks: false, writes: false, ..ALL }),
        ("retires", Rules { retires: false, ..ALL }),
        ("retires", Rules { retires: false, writes: false, ..ALL }),
        ("conditional", Rules { conditional: false, ..ALL }),
        ("says_stopped", Rules { says_stopped: false, ..ALL }),
        ("keeps_highest", Rules { keeps_highest: false, ..ALL }),
    ];
    for (rule, rules) in without {
        assert!(search(rules).0.is_some(), "nothing breaks without `{rule}`");
    }
}
