//! Random interleavings of up to four containers, which freeze and come back, held to the limit.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use super::*;

/// Runs what never waits for anything but its turn.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// Lets others come in between, once.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A counter in memory that answers as DynamoDB does, counts its writes and may be asked by
/// several at once.
#[derive(Default)]
struct Memory {
    counts: Mutex<HashMap<(String, i64), Count>>,
    asked: AtomicU64,
    /// Yields before it answers, so that others come in between.
    slow: bool,
}

#[async_trait]
impl Counter for Memory {
    async fn lend(&self, bucket: &str, minute: i64, ask: Ask) -> Result<Lent> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.slow {
            Yield::default().await;
        }
        let answer = {
            let mut counts = self.counts.lock().expect("free");
            let count = counts.entry((bucket.to_owned(), minute)).or_default();
            let fits = count.taken + ask.calls <= ask.limit && count.spare <= ask.most;
            if fits {
                count.taken += ask.calls;
                count.spare += ask.spare;
                Lent::Yes(*count)
            } else {
                Lent::No(*count)
            }
        };
        if self.slow {
            Yield::default().await;
        }
        Ok(answer)
    }
}

/// xorshift64*: the same seed plays the same interleaving.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(random).expect("a word") % bound
    }
}

const LIMITS: [u32; 7] = [11, 20, 60, 119, 120, 300, 1200];

fn minute(number: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(number)
}

fn containers(memory: &Arc<Memory>, number: usize) -> Vec<Leases> {
    let one = || Leases::new(Arc::clone(memory) as Arc<dyn Counter>);
    (0..number).map(|_| one()).collect()
}

/// Containers that are chosen at random, each a while at a time; some are frozen for good.
#[test]
fn no_interleaving_grants_more_than_the_limit_or_refuses_early_by_more_than_a_tenth() {
    for seed in 1_u64..=400 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let limit = LIMITS[dice.below(LIMITS.len())];
        let memory = Arc::new(Memory::default());
        let number = 1 + dice.below(4);
        let containers = containers(&memory, number);
        let mut frozen = vec![false; number];
        for window in 0..2 {
            let mut granted = 0;
            let now = minute(window);
            loop {
                let awake: Vec<_> = (0..number).filter(|one| !frozen[*one]).collect();
                let one = awake[dice.below(awake.len())];
                let mut refused = false;
                for _ in 0..=dice.below(30) {
                    let taken = run(containers[one].take_leased("duckling#a", limit, now));
                    let taken = taken.expect("counted");
                    granted += u32::from(taken.granted);
                    assert!(granted <= limit, "seed {seed}: {granted} of {limit}");
                    if !taken.granted {
                        refused = true;
                        break;
                    }
                    // A lower bound, as far as this container can know.
                    assert!(number > 1 || taken.remaining <= limit - granted, "seed {seed}");
                }
                if refused {
                    break;
                }
                if awake.len() > 1 && dice.below(8) == 0 {
                    frozen[one] = true;
                }
            }
            assert!(granted >= limit - limit / 10, "seed {seed}: {granted} of {limit}");
        }
    }
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<Taken>> + 'a>>;

/// Calls of one container overlap, too: the next step is that of any of those under way.
#[test]
fn calls_at_once_are_never_more_than_the_limit() {
    for seed in 1_u64..=60 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let limit = LIMITS[dice.below(LIMITS.len() - 1)];
        let memory = Arc::new(Memory { slow: true, ..Memory::default() });
        let containers = containers(&memory, 1 + dice.below(4));
        let mut granted = 0;
        let mut under_way: Vec<Call<'_>> = Vec::new();
        let mut begun = 0;
        while begun < 2 * limit || !under_way.is_empty() {
            if begun < 2 * limit && under_way.len() < 8 {
                let one = &containers[dice.below(containers.len())];
                under_way.push(one.take_leased("duckling#a", limit, minute(0)));
                begun += 1;
                continue;
            }
            let at = dice.below(under_way.len());
            let step = under_way[at].as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(taken) = step {
                granted += u32::from(taken.expect("counted").granted);
                drop(under_way.swap_remove(at));
            }
        }
        assert!(granted <= limit && granted >= limit - limit / 10, "{granted} of {limit}");
        let count = memory.counts.lock().expect("free")[&("duckling#a".to_owned(), 0)];
        assert!(count.taken <= limit && count.spare <= tenth(limit), "{count:?}");
    }
}

#[test]
fn blocks_shrink_as_the_minute_is_used_up() {
    let mut last = u32::MAX;
    for taken in (0..60).step_by(6) {
        let block = next(60, 0, Count { taken, spare: 0 }).calls;
        assert!(block <= last && block <= 60 - taken, "{block} at {taken}");
        last = block;
    }
    assert_eq!((next(60, 0, Count::default()).calls, last), (7, 3));
    assert_eq!(next(60, 0, Count { taken: 59, spare: 0 }).calls, 1);
}

/// How many writes a minute takes whose calls are all made, by one container.
fn writes(limit: u32) -> u64 {
    let memory = Arc::new(Memory::default());
    let leases = Leases::new(Arc::clone(&memory) as Arc<dyn Counter>);
    for _ in 0..limit {
        let taken = run(leases.take_leased("duckling#a", limit, minute(0)));
        assert!(taken.expect("counted").granted);
    }
    memory.asked.load(Ordering::Relaxed)
}

#[test]
fn a_counted_call_takes_a_fifth_of_a_write_at_most() {
    assert_eq!([writes(60), writes(300), writes(1200)], [12, 16, 20]);
    assert_eq!(writes(10), 10, "small limits are counted call by call");
}

#[test]
fn an_exact_limit_is_never_leased() {
    let memory = Arc::new(Memory::default());
    let leases = Leases::new(Arc::clone(&memory) as Arc<dyn Counter>);
    for left in (0..30).rev() {
        let taken = run(leases.take("guess#a", 30, minute(0))).expect("counted");
        assert_eq!(taken, Taken { granted: true, remaining: left });
    }
    assert!(!run(leases.take("guess#a", 30, minute(0))).expect("counted").granted);
    assert_eq!(memory.asked.load(Ordering::Relaxed), 31);
}

#[test]
fn what_is_not_used_in_its_minute_is_lost() {
    let memory = Arc::new(Memory::default());
    let leases = Leases::new(Arc::clone(&memory) as Arc<dyn Counter>);
    for number in 0..3 {
        let taken = run(leases.take_leased("duckling#a", 60, minute(number))).expect("counted");
        assert_eq!(taken, Taken { granted: true, remaining: 59 });
    }
    assert_eq!(memory.asked.load(Ordering::Relaxed), 3);
}
