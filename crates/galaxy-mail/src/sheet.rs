//! The sheet: every record as a table for people, a BIND zone file and JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::name::Domain;
use crate::records::{Data, TTL, Wanted, Zones};

fn by_zone<'a>(wanted: &'a [Wanted], zones: &Zones) -> BTreeMap<Domain, Vec<&'a Wanted>> {
    let mut groups: BTreeMap<Domain, Vec<&Wanted>> = BTreeMap::new();
    for record in wanted {
        groups.entry(zones.of(&record.name)).or_default().push(record);
    }
    groups
}

/// The table, at most `width` columns where the values allow it; a value is never cut, since it
/// is there to be copied.
#[must_use]
pub fn table(wanted: &[Wanted], zones: &Zones, width: usize) -> String {
    let mut text = String::new();
    for (zone, records) in by_zone(wanted, zones) {
        // Writing to a String can't fail.
        let _ = writeln!(text, "Zone {zone}");
        let name = |record: &Wanted| record.name.inside(&zone);
        let longest = records.iter().map(|record| name(record).len()).max().unwrap_or(0);
        let fits = |record: &&Wanted| longest + 22 + record.data.value().len() <= width;
        let wide = records.iter().all(fits);
        for record in &records {
            let (name, data) = (name(record), &record.data);
            let (kind, words) = (data.kind(), record.purpose.words());
            if wide {
                let _ = writeln!(text, "  {name:longest$}  {kind:5}  {words:11}  {}", data.value());
            } else {
                let _ = writeln!(text, "  {kind:5}  {name}  ({words})\n         {}", data.value());
            }
        }
        text.push('\n');
    }
    text
}

/// A zone file, as in RFC 1035, section 5. What DNS itself has no record for is a comment.
#[must_use]
pub fn zone_file(wanted: &[Wanted], zones: &Zones) -> String {
    let mut text = String::new();
    for (zone, records) in by_zone(wanted, zones) {
        let _ = writeln!(text, "; Records for the zone {zone}\n$ORIGIN {zone}.\n$TTL {TTL}");
        for record in records {
            let _ = match &record.data {
                Data::Cname(target) => writeln!(text, "{}. IN CNAME {target}.", record.name),
                Data::Mx(preference, host) => {
                    writeln!(text, "{}. IN MX {preference} {host}.", record.name)
                }
                Data::Txt(value) => writeln!(text, "{}. IN TXT {}", record.name, strings(value)),
                Data::Alias(target) => writeln!(
                    text,
                    "; {}. needs an ALIAS, ANAME or flattened CNAME to {target}.\n\
                     ; Zone files have no such record: set it in your provider's panel.",
                    record.name
                ),
            };
        }
        text.push('\n');
    }
    text
}

/// A text as character strings of at most 255 bytes (RFC 1035, section 3.3), quoted.
#[must_use]
pub fn strings(value: &str) -> String {
    let mut parts = vec![String::new()];
    let mut length = 0;
    for c in value.chars() {
        if length + c.len_utf8() > 255 {
            parts.push(String::new());
            length = 0;
        }
        length += c.len_utf8();
        if let Some(part) = parts.last_mut() {
            if matches!(c, '"' | '\\') {
                part.push('\\');
            }
            part.push(c);
        }
    }
    parts.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(" ")
}

/// The records as JSON, each with its zone and its name inside that.
#[must_use]
pub fn json(wanted: &[Wanted], zones: &Zones) -> Value {
    let record = |record: &Wanted| {
        let zone = zones.of(&record.name);
        let mut value = json!(record);
        value["host"] = record.name.inside(&zone).into();
        value["zone"] = zone.as_str().into();
        value
    };
    Value::Array(wanted.iter().map(record).collect())
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{Name, RData, RecordType};
    use hickory_proto::serialize::txt::Parser;

    use super::{json, strings, table, zone_file};
    use crate::records::Zones;
    use crate::records::tests::{everything, name};

    #[test]
    fn the_table_at_two_widths() {
        let wanted = everything().wanted(&Zones::default()).unwrap();
        insta::assert_snapshot!("table_120", table(&wanted, &Zones::default(), 120));
        insta::assert_snapshot!("table_60", table(&wanted, &Zones::default(), 60));
    }

    #[test]
    fn the_zone_file_reads_back() {
        let wanted = everything().wanted(&Zones::default()).unwrap();
        let text = zone_file(&wanted, &Zones::default());
        insta::assert_snapshot!("zone_file", text);
        // A parser of others reads what we write; it wants one zone a file.
        let mut read = 0;
        for part in text.split("\n\n").filter(|part| !part.trim().is_empty()) {
            let origin = Name::root();
            let (_, sets) = Parser::new(format!("{part}\n"), None, Some(origin)).parse().unwrap();
            for (key, set) in sets {
                for record in set.records_without_rrsigs() {
                    read += 1;
                    let found = wanted.iter().any(|one| {
                        let same = format!("{}.", one.name) == record.name.to_ascii();
                        let kind = match key.record_type {
                            RecordType::CNAME => "CNAME",
                            RecordType::MX => "MX",
                            _ => "TXT",
                        };
                        let value = match &record.data {
                            RData::TXT(words) => {
                                words.txt_data.iter().map(|s| String::from_utf8_lossy(s)).collect()
                            }
                            RData::MX(mx) => format!("{} {}", mx.preference, mx.exchange),
                            RData::CNAME(target) => target.to_string(),
                            other => panic!("{other:?}"),
                        };
                        let value = value.trim_end_matches('.');
                        same && one.data.kind() == kind && one.data.value() == value
                    });
                    assert!(found, "{record}");
                }
            }
        }
        assert_eq!(read, wanted.len() - 1, "all but the ALIAS");
    }

    /// RFC 1035, section 3.3: a character string has at most 255 bytes.
    #[test]
    fn long_texts_are_cut_into_strings_and_quoted() {
        assert_eq!(strings(&"a".repeat(256)), format!("\"{}\" \"a\"", "a".repeat(255)));
        assert_eq!(strings(r#"a"b\c"#), r#""a\"b\\c""#);
    }

    #[test]
    fn a_delegated_zone_changes_the_names_to_type() {
        let wanted = everything().wanted(&Zones::default()).unwrap();
        let zones = Zones([name("control.example.org")].into());
        let all = json(&wanted, &zones);
        let hosts: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .filter(|record| record["zone"] == "control.example.org")
            .map(|record| record["host"].as_str().unwrap())
            .collect();
        assert_eq!(hosts, ["_3f1", "@"]);
        assert_eq!(all[0]["ttl"], 300);
    }
}
