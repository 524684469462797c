//! Which proofs are enough, and which are not.

use super::*;
use crate::identity::{Subject, Thing};
use crate::model::{AccountId, GalaxyName, Region, Stack};

const OURS: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/pond-data/1";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/pond-eggs";

fn record() -> Record {
    let subject = Subject {
        galaxy: GalaxyName::parse("pond").unwrap(),
        account: AccountId::parse("111122223333").unwrap(),
        home: Region::parse("eu-west-1").unwrap(),
    };
    let mut record = Record::new(&subject, 1).unwrap();
    record.hold(&Thing::Stack(Stack::Data), OURS.into(), Mark::Id);
    record.hold(&Thing::Table("eggs".into()), TABLE.into(), Mark::Id);
    record
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What it shows, what is on record, the tags, whether the stack lists it, and the verdict.
type Row<'a> = (&'static str, Option<&'a Held>, Tags, bool, Result<(), Doubt>);

/// Every pair of proofs, marks that contradict each other included. One alone is never enough.
#[test]
fn both_proofs_or_none() {
    let record = record();
    let id = record.id.clone();
    let theirs = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/2";
    let held = record.held(&Thing::Table("eggs".into()));
    let rows: [Row; 11] = [
        ("both", held, tags(&[(ID_TAG, &id)]), false, Ok(())),
        ("AWS's word", held, tags(&[(STACK_TAG, OURS)]), false, Ok(())),
        ("the stack's list", held, tags(&[]), true, Ok(())),
        ("record alone", held, tags(&[]), false, Err(Doubt::NotMarked)),
        ("the old tag alone", held, tags(&[(TAG, "pond")]), false, Err(Doubt::NotMarked)),
        ("a forged tag", None, tags(&[(ID_TAG, &id)]), false, Err(Doubt::NotRecorded)),
        ("nothing", None, tags(&[]), false, Err(Doubt::Unknown)),
        ("AWS's word alone", None, tags(&[(STACK_TAG, OURS)]), false, Err(Doubt::Unknown)),
        (
            "another galaxy's tag",
            held,
            tags(&[(ID_TAG, "x"), (STACK_TAG, OURS)]),
            true,
            Err(Doubt::OfAnother("x".into())),
        ),
        (
            "a copied tag on another stack's table",
            held,
            tags(&[(ID_TAG, &id), (STACK_TAG, theirs)]),
            true,
            Err(Doubt::MadeBy(theirs.into())),
        ),
        (
            "another galaxy's tag, not on record",
            None,
            tags(&[(ID_TAG, "x")]),
            false,
            Err(Doubt::OfAnother("x".into())),
        ),
    ];
    for (what, held, tags, member, verdict) in rows {
        let evidence = Evidence { arn: TABLE, tags: &tags, member };
        assert_eq!(judge(&record, held, evidence), verdict, "{what}");
    }
    let other = Evidence { arn: theirs, tags: &tags(&[(ID_TAG, &id)]), member: false };
    let stack = record.held(&Thing::Stack(Stack::Data));
    assert_eq!(judge(&record, stack, other), Err(Doubt::Another(OURS.into())));
}

#[test]
fn a_thing_from_before_there_were_records_is_known_by_its_old_tag() {
    let mut record = record();
    let thing = Thing::Stack(Stack::Auth);
    record.hold(&thing, "arn:auth".into(), Mark::Install);
    let verdict = |pairs: &[(&str, &str)]| {
        let tags = tags(pairs);
        judge(
            &record,
            record.held(&thing),
            Evidence { arn: "arn:auth", tags: &tags, member: false },
        )
    };
    assert_eq!(verdict(&[(TAG, "pond")]), Ok(()));
    assert_eq!(verdict(&[(TAG, "shop")]), Err(Doubt::NotMarked));
    assert_eq!(verdict(&[(ID_TAG, &record.id)]), Ok(()));
}

#[test]
fn a_former_stack_still_speaks_for_what_it_retained() {
    let mut record = record();
    record.hold(&Thing::Stack(Stack::Data), format!("{OURS}b"), Mark::Id);
    assert!(record.knows_stack(OURS) && record.knows_stack(&format!("{OURS}b")));
    assert!(!record.knows_stack("arn:other"));
}
