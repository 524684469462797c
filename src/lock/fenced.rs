//! Every port with the fence in front of its effects: a run that has lost the lock has none.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use galaxy_mail::facts::{Account as MailAccount, Identity, SetFound, TestMail};
use galaxy_mail::name::Domain;
use galaxy_mail::request::Letter;
use serde_json::Value;

use crate::failure::Failure;
use crate::model::{
    Certificate, GalaxyName, HostedZone, Place, RecordSet, Secret, StackSeen, Tags,
};
use crate::ports::{
    Account, Applied, Assets, Certificates, ChangeSet, Changed, Delivery, Entry, Extra, Fence,
    Functions, Inspection, Invited, Joined, Listed, LiveVersion, LockId, Mail, Notes, Object,
    ObjectSeen, Offer, Page, People, Play, Proposal, Reason, Records, Registry, ResourceDrift,
    Retained, Secrets, StackEvent, Stacks, Tagged, Turn, World, Zones,
};

struct Fenced<T: ?Sized> {
    port: Arc<T>,
    fence: Arc<Fence>,
}

/// The world with its fence closed until this run holds the lock.
#[must_use]
pub fn fenced(world: World) -> World {
    fn of<T: ?Sized>(port: &Arc<T>, fence: &Arc<Fence>) -> Arc<Fenced<T>> {
        Arc::new(Fenced { port: Arc::clone(port), fence: Arc::clone(fence) })
    }
    let fence = Arc::clone(&world.fence);
    World {
        stacks: of(&world.stacks, &fence),
        assets: of(&world.assets, &fence),
        delivery: of(&world.delivery, &fence),
        functions: of(&world.functions, &fence),
        secrets: of(&world.secrets, &fence),
        notes: of(&world.notes, &fence),
        registry: of(&world.registry, &fence),
        people: of(&world.people, &fence),
        records: of(&world.records, &fence),
        mail: of(&world.mail, &fence),
        certificates: of(&world.certificates, &fence),
        zones: of(&world.zones, &fence),
        inspection: of(&world.inspection, &fence),
        open: Some(Arc::new(world.clone())),
        ..world
    }
}

/// Implements a port for its fenced self: a `look` is handed on, an `effect` passes the fence
/// first.
macro_rules! fenced {
    ($port:ident {
        $($kind:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*
    }) => {
        #[async_trait]
        impl $port for Fenced<dyn $port> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, Failure> {
                fenced!(@$kind self, self.port.$name($($arg),*)).await
            })*
        }
    };
    (@look $this:ident, $call:expr) => { $call };
    (@effect $this:ident, $call:expr) => { $this.fence.let_through($call) };
}

fenced!(Stacks {
    look find(place: Place, name: &str) -> Option<StackSeen>;
    look template(place: Place, name: &str) -> String;
    effect create(proposal: &Proposal) -> String;
    effect import(proposal: &Proposal, things: &[Retained]) -> String;
    // Changes nothing until it is run, and a preview works it out without the lock.
    look propose(proposal: &Proposal) -> Option<ChangeSet>;
    effect apply(change_set: &ChangeSet) -> ();
    look discard(change_set: &ChangeSet) -> ();
    effect protect(place: Place, name: &str, on: bool) -> ();
    effect recover(place: Place, seen: &StackSeen) -> ();
    look drift(place: Place, name: &str) -> Vec<ResourceDrift>;
    effect delete(place: Place, name: &str) -> ();
    effect retire(place: Place, name: &str, lock: &LockId) -> ();
    look resources(place: Place, name: &str) -> Vec<ResourceDrift>;
    look reasons(place: Place, arn: &str) -> Vec<Reason>;
    look events(place: Place, name: &str) -> Vec<StackEvent>;
});

fenced!(Assets {
    look has_bucket(place: Place, bucket: &str) -> bool;
    look has(place: Place, bucket: &str, key: &str) -> bool;
    look read(place: Place, bucket: &str, key: &str) -> Option<Vec<u8>>;
    look read_tagged(place: Place, bucket: &str, key: &str) -> Option<Tagged>;
    look look(place: Place, bucket: &str, key: &str) -> Option<ObjectSeen>;
    effect write(place: Place, bucket: &str, object: &Object) -> ();
    effect replace(
        place: Place, bucket: &str, object: &Object, seen: Option<&str>
    ) -> Option<String>;
    look keys(place: Place, bucket: &str) -> Vec<String>;
    look listing(place: Place, bucket: &str) -> Option<BTreeMap<String, Listed>>;
    look list(place: Place, bucket: &str) -> BTreeMap<String, String>;
    effect remove(place: Place, bucket: &str, keys: &[String]) -> ();
    effect remove_bucket(place: Place, bucket: &str) -> ();
});

fenced!(Inspection {
    look role(role: &str) -> Vec<Extra>;
    look function(function: &str) -> Vec<Extra>;
    look clients(pool: &str) -> Vec<Extra>;
    look cors(place: Place, bucket: &str) -> Option<Extra>;
    effect remove(extra: &Extra) -> ();
});

fenced!(Delivery {
    look deployed(distribution: &str) -> bool;
    effect turn(distribution: &str, turn: &Turn) -> ();
});

fenced!(Functions {
    look check(function: &str, version: &str) -> Option<String>;
    look live(function: &str) -> Option<LiveVersion>;
    effect point(function: &str, version: &str) -> bool;
});

fenced!(Secrets {
    look read(path: &str) -> Option<Secret>;
    effect write(path: &str, secret: &Secret) -> ();
    effect remove(path: &str) -> ();
});

fenced!(Notes {
    look get(path: &str) -> Option<String>;
    effect put_new(path: &str, text: &str) -> bool;
    effect put(path: &str, text: &str) -> ();
    effect remove(path: &str) -> ();
    look entry(path: &str) -> Option<Entry>;
});

fenced!(Registry {
    look get(path: &str) -> Option<Entry>;
    effect create(path: &str, text: &str) -> bool;
    effect put(path: &str, text: &str) -> ();
    effect remove(path: &str) -> ();
    look list(below: &str) -> BTreeMap<String, Entry>;
    look now() -> u64;
});

fenced!(People {
    effect add(pool: &str, ledger: &str, email: &str, password: Offer<'_>) -> Joined;
    effect remove(pool: &str, ledger: &str, email: &str) -> bool;
    effect reset_factor(pool: &str, ledger: &str, email: &str) -> bool;
    look operators(pool: &str) -> Vec<String>;
});

fenced!(Records {
    look has_table(table: &str) -> bool;
    look is_recoverable(table: &str) -> bool;
    look items(table: &str, from: Option<Value>) -> Page<Value>;
    look since(ledger: &str, span: (&str, &str), next: Option<Value>) -> Page<Value>;
    look named(table: &str, keys: &[Value]) -> Vec<Value>;
    effect put(table: &str, items: &[Value]) -> ();
    effect remove_table(table: &str) -> ();
    look accounts(pool: &str, from: Option<Value>) -> Page<Account>;
    effect admit(pool: &str, who: &Account, password: &Secret) -> bool;
});

fenced!(Mail {
    look account() -> MailAccount;
    look identity(domain: &Domain) -> Option<Identity>;
    effect create_sender_role() -> ();
    effect clear_default_set(domain: &Domain) -> ();
    effect remove_identity(domain: &Domain) -> ();
    look set(name: &str) -> Option<SetFound>;
    effect apply(letter: &Letter) -> Applied;
    effect invite(address: &str) -> Invited;
    // A mail to the simulator changes nothing.
    look play(play: &Play) -> String;
    look written(ledger: &str, mail: &TestMail) -> Option<u64>;
});

fenced!(Certificates {
    look ours(place: Place, galaxy: &GalaxyName) -> Vec<Certificate>;
    effect request(place: Place, tags: &Tags, domain: &Domain, token: &str) -> ();
    effect remove(place: Place, arn: &str) -> bool;
});

fenced!(Zones {
    look holding(names: &[Domain]) -> Vec<HostedZone>;
    look sets(zone: &str) -> Option<Vec<RecordSet>>;
    effect change(zone: &str, away: &[RecordSet], new: &[RecordSet]) -> Changed;
});
