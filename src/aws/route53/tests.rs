//! Zones and records as Route 53 writes them, and requests held to the service's own model.

use serde_json::{Value, json};

use super::*;
use crate::aws::replay::{Script, refusal, script};
use crate::failure::Kind;

const XMLNS: &str = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";

fn played(answers: &[(u16, String)]) -> (Route53, Script) {
    let (config, script) = script(answers);
    (Route53::new(&config), script)
}

fn answer(operation: &str, inner: &str) -> (u16, String) {
    (200, format!("<{operation}Response {XMLNS}>{inner}</{operation}Response>"))
}

fn zone(id: &str, name: &str, private: bool) -> String {
    format!(
        "<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}</Name><CallerReference>x\
         </CallerReference><Config><PrivateZone>{private}</PrivateZone></Config>\
         <ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>"
    )
}

fn listed(zones: &str, next: Option<&str>) -> (u16, String) {
    let more = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |next| format!("<IsTruncated>true</IsTruncated><NextMarker>{next}</NextMarker>"),
    );
    let inner = format!("<HostedZones>{zones}</HostedZones>{more}<MaxItems>100</MaxItems>");
    answer("ListHostedZones", &inner)
}

fn looked(id: &str, name: &str) -> (u16, String) {
    let servers = "<DelegationSet><NameServers><NameServer>ns-1.awsdns-01.org</NameServer>\
                   <NameServer>NS-2.awsdns-02.net.</NameServer></NameServers></DelegationSet>";
    answer("GetHostedZone", &format!("{}{servers}", zone(id, name, false)))
}

fn page(sets: &str, more: &str) -> (u16, String) {
    let inner =
        format!("<ResourceRecordSets>{sets}</ResourceRecordSets>{more}<MaxItems>300</MaxItems>");
    answer("ListResourceRecordSets", &inner)
}

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

const LAST: &str = "<IsTruncated>false</IsTruncated>";

#[tokio::test]
async fn public_zones_around_the_names_are_found_on_every_page() {
    let first = [
        zone("Z1", "example.org.", false),
        zone("Z2", "example.org.", true),
        zone("Z3", "badexample.org.", false),
    ];
    let (port, script) = played(&[
        listed(&first.concat(), Some("Z4")),
        listed(&zone("Z4", "docs.example.org.", false), None),
        looked("Z1", "example.org."),
        looked("Z4", "docs.example.org."),
    ]);
    let found = port.holding(&[name("docs.example.org"), name("api.example.org")]).await.unwrap();
    let servers = vec![name("ns-1.awsdns-01.org"), name("ns-2.awsdns-02.net")];
    let zone = |id: &str, zone: &str| HostedZone {
        id: id.into(),
        name: name(zone),
        servers: servers.clone(),
    };
    assert_eq!(found, [zone("Z1", "example.org"), zone("Z4", "docs.example.org")]);
    let asked = script.judged();
    let operations: Vec<&str> = asked.iter().map(|one| one.operation.as_str()).collect();
    let all = ["ListHostedZones", "ListHostedZones", "GetHostedZone", "GetHostedZone"];
    assert_eq!(operations, all);
    assert_eq!(asked[1].params["Marker"], "Z4");
    assert_eq!(asked[2].params["Id"], "Z1");
}

#[tokio::test]
async fn a_zone_that_vanishes_between_two_questions_is_none() {
    let gone = || refusal(404, NO_ZONE, "No hosted zone found");
    let (port, script) = played(&[listed(&zone("Z1", "example.org.", false), None), gone()]);
    assert_eq!(port.holding(&[name("example.org")]).await.unwrap(), []);
    script.judged();
    let (port, script) = played(&[gone()]);
    assert_eq!(port.sets("Z1").await.unwrap(), None);
    script.judged();
}

#[tokio::test]
async fn records_are_read_to_the_last_page_whatever_they_say() {
    let value = |at: &str, kind: &str, value: &str| {
        format!(
            "<ResourceRecordSet><Name>{at}</Name><Type>{kind}</Type><TTL>300</TTL>\
             <ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord>\
             </ResourceRecords></ResourceRecordSet>"
        )
    };
    let routed = "<ResourceRecordSet><Name>eu.example.org.</Name><Type>A</Type><SetIdentifier>one\
                  </SetIdentifier><Weight>1</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord>\
                  <Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
    let alias = "<ResourceRecordSet><Name>docs.example.org.</Name><Type>A</Type><AliasTarget>\
                 <HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>D1.cloudfront.net.</DNSName>\
                 <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>\
                 </ResourceRecordSet>";
    let star = value("\\052.example.org.", "A", "192.0.2.9");
    let text = value("example.org.", "TXT", "&quot;v=spf1 -all&quot;");
    let more = "<IsTruncated>true</IsTruncated><NextRecordName>eu.example.org.</NextRecordName>\
                <NextRecordType>A</NextRecordType><NextRecordIdentifier>one</NextRecordIdentifier>";
    let (port, script) = played(&[page(&format!("{text}{star}{alias}"), more), page(routed, LAST)]);
    let sets = port.sets("Z1").await.unwrap().unwrap();
    let set = |at: &str, kind: &str, says| RecordSet { name: name(at), kind: kind.into(), says };
    let values = vec!["\"v=spf1 -all\"".to_owned()];
    let target = name("d1.cloudfront.net");
    let zone = "Z2FDTNDATAQYW2".to_owned();
    assert_eq!(
        sets,
        [
            set("example.org", "TXT", Says::Values { ttl: 300, values }),
            set("docs.example.org", "A", Says::Alias { zone, target, watched: false }),
            set("eu.example.org", "A", Says::Routed),
        ]
    );
    let next = &script.judged()[1].params;
    assert_eq!(next["StartRecordName"], "eu.example.org.");
    assert_eq!(
        (&next["StartRecordType"], &next["StartRecordIdentifier"]),
        (&json!("A"), &json!("one"))
    );
}

fn alias() -> RecordSet {
    let target = name("d1.cloudfront.net");
    let says = Says::Alias { zone: "Z2FDTNDATAQYW2".into(), target, watched: false };
    RecordSet { name: name("docs.example.org"), kind: "AAAA".into(), says }
}

fn text() -> RecordSet {
    let says = Says::Values { ttl: 300, values: vec!["\"v=DMARC1; p=none;\"".into()] };
    RecordSet { name: name("_dmarc.example.org"), kind: "TXT".into(), says }
}

fn changed() -> (u16, String) {
    let info = "<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>\
                2026-11-27T00:00:00Z</SubmittedAt></ChangeInfo>";
    answer("ChangeResourceRecordSets", info)
}

#[tokio::test]
async fn a_change_takes_away_and_makes_and_never_writes_over() {
    let (port, script) = played(&[changed()]);
    assert_eq!(port.change("Z1", &[text()], &[alias()]).await.unwrap(), Changed::Done);
    let asked = script.judged();
    assert_eq!(asked[0].params["HostedZoneId"], "Z1");
    let changes: &Value = &asked[0].params["ChangeBatch"]["Changes"];
    let actions: Vec<&Value> =
        changes.as_array().unwrap().iter().map(|change| &change["Action"]).collect();
    assert_eq!(actions, ["DELETE", "CREATE"]);
    assert_eq!(
        changes[0]["ResourceRecordSet"],
        json!({
            "Name": "_dmarc.example.org",
            "Type": "TXT",
            "TTL": 300,
            "ResourceRecords": [{"Value": "\"v=DMARC1; p=none;\""}],
        })
    );
    assert_eq!(
        changes[1]["ResourceRecordSet"],
        json!({
            "Name": "docs.example.org",
            "Type": "AAAA",
            "AliasTarget": {
                "HostedZoneId": "Z2FDTNDATAQYW2",
                "DNSName": "d1.cloudfront.net",
                "EvaluateTargetHealth": false,
            },
        })
    );
}

#[tokio::test]
async fn why_a_change_is_not_taken_is_told_apart() {
    // As Route 53 writes it, which is not as other services do.
    let reasons = "<Messages><Message>it already exists</Message><Message>and so does that\
                   </Message></Messages>";
    let invalid = format!("<InvalidChangeBatch {XMLNS}>{reasons}</InvalidChangeBatch>");
    let (port, script) = played(&[(400, invalid)]);
    let said = port.change("Z1", &[], &[alias()]).await.unwrap();
    let Changed::Refused(why) = said else { panic!("{said:?}") };
    assert!(why.contains("it already exists") && why.contains("and so does that"), "{why}");
    script.judged();
    let (port, script) = played(&[refusal(400, "InvalidChangeBatch", "it already exists")]);
    let said = port.change("Z1", &[], &[alias()]).await.unwrap();
    assert_eq!(said, Changed::Refused("it already exists".into()));
    script.judged();
    let (port, script) = played(&[refusal(403, "AccessDenied", "not you")]);
    let said = port.change("Z1", &[], &[alias()]).await.unwrap();
    assert_eq!(said, Changed::Forbidden("not you".into()));
    script.judged();
    // Another change of the zone is still under way: that is tried again.
    let (port, script) = played(&[refusal(400, "PriorRequestNotComplete", "wait"), changed()]);
    assert_eq!(port.change("Z1", &[], &[alias()]).await.unwrap(), Changed::Done);
    script.judged();
    let (port, script) = played(&[refusal(403, "ExpiredToken", "old")]);
    assert_eq!(port.change("Z1", &[], &[alias()]).await.unwrap_err().kind, Kind::Access);
    script.judged();
}
