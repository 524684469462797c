//! Tags of the account in memory, and what others have in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use async_trait::async_trait;

use super::sim::Sim;
use super::{Account, State, refuse};
use crate::failure::{Failure, Kind};
use crate::model::{ID_TAG, Place, STACK_TAG, Secret, Tags};
use crate::ports::{Marks, Member, Object, PoolSeen, Proposal, TableSeen};

/// Something that others have in the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A stack with its template, and whether termination protection is on.
    Stack(Box<Proposal>, bool),
    /// A bucket with one object.
    Bucket(Place, String, Tags),
    /// A table with its keys and one item.
    Table(String, Vec<String>, Tags),
    /// A parameter with its text.
    Parameter(String, String, Tags),
    /// A certificate for a domain.
    Certificate(Place, String, Tags),
}

impl Account {
    /// Others make something in the account.
    pub fn settle(&self, foreign: Foreign) {
        let now = Self::now(self);
        let mut state = self.state();
        match foreign {
            Foreign::Stack(proposal, protected) => {
                let arn = format!("arn:stack/{}/{}", proposal.name, state.stacks.len());
                let mut stack = Sim::new(*proposal, arn);
                stack.outputs = self.told_by(&mut stack);
                stack.protected = protected;
                stack.put(now, "CREATE_COMPLETE", &[]);
                for (table, _, keys) in self.tables_of(&stack) {
                    state.tables.entry(table.clone()).or_default();
                    state.schemas.entry(table).or_insert(keys);
                }
                if let Some(bucket) = self.bucket_of(&stack) {
                    state.buckets.entry((stack.proposal.place, bucket)).or_default();
                }
                self.tag(&mut state.marks, &stack);
                state.stacks.push(stack);
            }
            Foreign::Bucket(place, name, tags) => {
                let object = Object {
                    key: "theirs".into(),
                    bytes: b"theirs"[..].into(),
                    content_type: "text/plain".into(),
                    cache_control: String::new(),
                };
                let objects = BTreeMap::from([(object.key.clone(), object)]);
                state.marks.insert(bucket_key(place, &name), tags);
                state.buckets.insert((place, name), objects);
            }
            Foreign::Table(name, keys, tags) => {
                state.marks.insert(format!("table {name}"), tags);
                state.schemas.insert(name.clone(), keys);
                state.tables.insert(name, vec![serde_json::json!({"whose": {"S": "theirs"}})]);
            }
            Foreign::Parameter(path, text, tags) => {
                state.marks.insert(format!("parameter {path}"), tags);
                state.parameters(&path).insert(path, text);
            }
            Foreign::Certificate(place, domain, tags) => {
                self.foreign(&mut state, place, &domain, tags);
            }
        }
    }

    /// As an installation from before there were records left the account.
    pub fn before_records(&self) {
        let mut state = self.state();
        state.registry.retain(|path, _| !path.ends_with("/record"));
        for stack in &mut state.stacks {
            stack.proposal.tags.remove(ID_TAG);
        }
        for (thing, tags) in &mut state.marks {
            tags.remove(ID_TAG);
            if thing.starts_with("parameter ") {
                tags.clear();
            }
        }
        for one in &mut state.certificates {
            one.tags.remove(ID_TAG);
        }
    }

    /// Others change the tags of a stack.
    pub fn retag(&self, name: &str, tags: &Tags) {
        let mut state = self.state();
        for stack in state.stacks.iter_mut().filter(|stack| stack.proposal.name == name) {
            stack.proposal.tags.clone_from(tags);
        }
    }

    /// Others change the tags of everything whose mark starts like this, such as `pool `.
    pub fn remark(&self, start: &str, tags: &Tags) {
        let mut state = self.state();
        for (_, own) in state.marks.iter_mut().filter(|(mark, _)| mark.starts_with(start)) {
            own.clone_from(tags);
        }
    }

    /// Others delete every user pool and key.
    pub fn lose_drawn(&self) {
        self.state().marks.retain(|mark, _| !is_drawn(mark));
    }

    /// An entry of the registry becomes this.
    pub fn garble(&self, path: &str, text: &str) {
        let entry = crate::ports::Entry { text: text.to_owned(), changed_at: 0 };
        self.state().registry.insert(path.to_owned(), entry);
    }

    /// Denies an action from now on.
    pub fn deny(&self, action: &str) {
        self.state().denied.insert(action.to_owned());
    }

    /// Everything that others can see of each thing, to be compared.
    #[must_use]
    pub fn dump(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let now = self.time(&state);
        let mut all = BTreeMap::new();
        for stack in state.stacks.iter().filter(|stack| stack.is_there(now)) {
            let key = format!("stack {:?} {}", stack.proposal.place, stack.arn);
            all.insert(key, stack.dump());
        }
        for ((place, name), objects) in &state.buckets {
            let tags = state.marks.get(&bucket_key(*place, name));
            let mut seen = format!("{tags:?}");
            for (key, object) in objects {
                let Object { content_type, cache_control, bytes, .. } = object;
                // Writing to a String can't fail.
                let _ = write!(seen, " {key} {content_type} {cache_control} {:x}", digest(bytes));
            }
            all.insert(format!("bucket {place:?} {name}"), seen);
        }
        for (name, items) in &state.tables {
            let (keys, tags) = (state.schemas.get(name), state.marks.get(&format!("table {name}")));
            all.insert(format!("table {name}"), format!("{items:?} {keys:?} {tags:?}"));
        }
        for (path, text) in state.secrets.iter().chain(&state.notes) {
            let tags = state.marks.get(&format!("parameter {path}"));
            all.insert(format!("parameter {path}"), format!("{text} {tags:?}"));
        }
        for one in &state.certificates {
            all.insert(format!("certificate {}", one.arn()), format!("{one:?}"));
        }
        let drawn = state.marks.iter().filter(|(mark, _)| is_drawn(mark));
        all.extend(drawn.map(|(mark, tags)| (mark.clone(), format!("{tags:?}"))));
        all
    }

    /// Tags what a stack makes, as `CloudFormation` does.
    pub(super) fn tag(&self, marks: &mut BTreeMap<String, Tags>, stack: &Sim) {
        let mut tags = stack.proposal.tags.clone();
        tags.insert(STACK_TAG.to_owned(), stack.arn.clone());
        if let Some(bucket) = self.bucket_of(stack) {
            marks.insert(bucket_key(stack.proposal.place, &bucket), tags.clone());
        }
        for (table, ..) in self.tables_of(stack) {
            marks.insert(format!("table {table}"), tags.clone());
        }
        for (mark, _) in self.accounts_of(stack) {
            marks.insert(mark, tags.clone());
        }
    }

    /// A stack's name where its ARN may have been given.
    pub(super) fn name_of(&self, place: Place, name: &str) -> String {
        let state = self.state();
        let now = self.time(&state);
        let found = state.stacks.iter().find(|stack| stack.is_named(place, name, now));
        found.map_or_else(|| name.to_owned(), |stack| stack.proposal.name.clone())
    }

    fn may_read(&self, action: &str) -> Result<(), Failure> {
        self.hear()?;
        if self.state().denied.contains(action) {
            return Err(Failure::new(Kind::Access, "reading tags: a permission is missing")
                .cause(format!("AccessDenied: not authorized to perform {action}"))
                .help(format!("ask for {action}, then run the command again")));
        }
        Ok(())
    }
}

/// Bytes as a number, to be compared within one run.
pub(super) fn digest(bytes: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Whether a mark is that of a user pool or key, which exist as long as it does.
fn is_drawn(mark: &str) -> bool {
    mark.starts_with("pool ") || mark.starts_with("key ")
}

fn bucket_key(place: Place, name: &str) -> String {
    format!("bucket {place:?} {name}")
}

impl State {
    /// The map that a parameter lies in: what is encrypted, or what is not.
    pub(super) fn parameters(&mut self, path: &str) -> &mut BTreeMap<String, String> {
        if path.contains("/turnstile-") { &mut self.secrets } else { &mut self.notes }
    }
}

#[async_trait]
impl Marks for Account {
    async fn bucket(&self, place: Place, bucket: &str) -> Result<Option<Tags>, Failure> {
        self.may("Marks::bucket")?;
        self.may_read("s3:GetBucketTagging")?;
        let state = self.state();
        let there = state.buckets.contains_key(&(place, bucket.to_owned()));
        let tags = state.marks.get(&bucket_key(place, bucket)).cloned();
        Ok(there.then(|| tags.unwrap_or_default()))
    }

    async fn table(&self, table: &str) -> Result<Option<TableSeen>, Failure> {
        self.may("Marks::table")?;
        self.may_read("dynamodb:ListTagsOfResource")?;
        let state = self.state();
        let tags = state.marks.get(&format!("table {table}")).cloned().unwrap_or_default();
        let keys = state.schemas.get(table).cloned().unwrap_or_default();
        Ok(state.tables.contains_key(table).then_some(TableSeen { tags, keys }))
    }

    async fn pool(&self, id: &str) -> Result<Option<PoolSeen>, Failure> {
        self.may("Marks::pool")?;
        self.may_read("cognito-idp:DescribeUserPool")?;
        let state = self.state();
        let Some(tags) = state.marks.get(&format!("pool {id}")).cloned() else { return Ok(None) };
        let accounts = state.people.keys().filter(|(pool, _)| pool == id).count();
        Ok(Some(PoolSeen { tags, accounts: u64::try_from(accounts).unwrap_or(u64::MAX) }))
    }

    async fn key(&self, arn: &str) -> Result<Option<Tags>, Failure> {
        self.may("Marks::key")?;
        self.may_read("kms:ListResourceTags")?;
        Ok(self.state().marks.get(&format!("key {arn}")).cloned())
    }

    async fn parameter(&self, path: &str) -> Result<Option<Tags>, Failure> {
        self.may("Marks::parameter")?;
        self.may_read("ssm:ListTagsForResource")?;
        let mut state = self.state();
        let there = state.parameters(path).contains_key(path);
        let tags = state.marks.get(&format!("parameter {path}")).cloned();
        Ok(there.then(|| tags.unwrap_or_default()))
    }

    async fn create_parameter(
        &self,
        path: &str,
        text: &Secret,
        _: bool,
        tags: &Tags,
    ) -> Result<bool, Failure> {
        self.may("Marks::create_parameter")?;
        self.effect(format!("write {path}"), |state| {
            let mark = format!("parameter {path}");
            if let Some(there) = state.parameters(path).get(path) {
                return Ok(there == text.expose() && state.marks.get(&mark) == Some(tags));
            }
            state.parameters(path).insert(path.to_owned(), text.expose().to_owned());
            state.marks.insert(mark, tags.clone());
            Ok(true)
        })
    }

    async fn members(&self, place: Place, arn: &str) -> Result<Vec<Member>, Failure> {
        self.may("Marks::members")?;
        self.hear()?;
        let state = self.state();
        let stack = state.stacks.iter().find(|s| s.proposal.place == place && s.arn == arn);
        let Some(stack) = stack else { return Err(refuse(format!("there is no stack {arn}"))) };
        let mut members = stack.members();
        if let Some(bucket) = self.bucket_of(stack) {
            let bucket_kind = "AWS::S3::Bucket";
            let found = members.iter_mut().find(|member| member.kind == bucket_kind);
            if let Some(member) = found {
                member.physical = bucket;
            }
        }
        Ok(members)
    }
}
