//! Who is believed, and every way to be deceived.

use beak_core::id::CertId;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::*;
use crate::{MAIN_FILE, PublisherKey, Tree, is_mark, pack, sign};

const ISSUER: &str = "https://api.example/prod";

struct World {
    galaxy: SigningKey,
    key: PublisherKey,
    now: OffsetDateTime,
}

impl World {
    fn new() -> Self {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).expect("a time");
        Self { galaxy: SigningKey::from_bytes(&[1; 32]), key: PublisherKey::new(&[2; 32]), now }
    }

    fn duckling(&self, n: u8) -> DucklingId {
        DucklingId::new(self.now, [n; 16])
    }

    fn certificate_by(&self, galaxy: &SigningKey, iss: &str, name: &str) -> String {
        let payload = json!({
            "iss": iss,
            "sub": self.duckling(1).as_str(),
            "jti": CertId::new(self.now, [3; 16]).as_str(),
            "iat": self.now.unix_timestamp(),
            "name": name,
            "email_sha256": "00".repeat(32),
            "tier": "T1",
            "ver": 1,
        });
        let kid = jws::kid(&galaxy.verifying_key().to_bytes());
        let input = jws::input(&payload, "JWT", &kid).expect("written");
        let signature = galaxy.sign(input.as_bytes()).to_bytes();
        jws::sealed(input, &signature)
    }

    /// The certificate of a duckling whose name has the mark.
    fn certificate(&self) -> String {
        self.certificate_by(&self.galaxy, ISSUER, &format!("Wavers {}", self.key.mark()))
    }

    fn trust(&self) -> Trust {
        let x = URL_SAFE_NO_PAD.encode(self.galaxy.verifying_key().to_bytes());
        let kid = jws::kid(&self.galaxy.verifying_key().to_bytes());
        let other = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "other"});
        let ours = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig"});
        let keys = keys(&json!({"keys": [other, ours]}).to_string()).expect("keys");
        Trust { keys, issuer: Some(ISSUER.into()), ..Trust::default() }
    }

    fn signed(&self, pack: &[u8], certificate: &str) -> String {
        sign(pack, certificate, &self.key, self.now).expect("signed").file
    }
}

fn main_file(more: &str) -> String {
    format!(
        "---\nname: wave\ndescription: Waves.\nmetadata:\n  version: \"1.0.0\"\n  \
         galaxy-skill: \"1\"\n  galaxy-capabilities: wave.send\n  galaxy-tier: T0\n  \
         galaxy-permissions: none\n{more}---\n\nWave.\n"
    )
}

fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.add(path, (*text).into()).expect("a file");
    }
    pack("wave", &tree).expect("packed")
}

fn wave() -> Vec<u8> {
    packed(&[(MAIN_FILE, &main_file(""))])
}

fn refused(pack: &[u8], signature: &str, trust: &Trust) -> String {
    verify(pack, signature, trust).expect_err("refused").message
}

/// The file with one field changed.
fn with(file: &str, field: &str, value: &Value) -> String {
    let mut json: Value = serde_json::from_str(file).expect("json");
    json[field] = value.clone();
    json.to_string()
}

#[test]
fn what_a_named_key_has_signed_is_believed() {
    let world = World::new();
    let file = world.signed(&wave(), &world.certificate());
    let verified = verify(&wave(), &file, &world.trust()).expect("valid");
    assert_eq!((verified.name.as_str(), verified.named), ("Wavers", true));
    assert_eq!(verified.claims.duckling_id, world.duckling(1));
    assert_eq!(verified.sha256, digest(&wave()));
    assert_eq!((verified.signed_at, verified.skill.name.as_str()), (Some(world.now), "wave"));
    assert!(is_mark(&verified.key) && !is_mark("key:abc"));
    let trust =
        Trust { publisher: Some(world.duckling(1)), key: Some(verified.key), ..world.trust() };
    assert!(verify(&wave(), &file, &trust).is_ok());
}

#[test]
fn a_stranger_with_somebodys_certificate_is_not_believed() {
    let world = World::new();
    let thief = World { key: PublisherKey::new(&[9; 32]), ..World::new() };
    let stolen = thief.signed(&wave(), &world.certificate());
    let told = refused(&wave(), &stolen, &world.trust());
    assert!(told.starts_with("nothing says that the key of this signature is"), "{told}");
    // Nor with the right key beside a signature that it has not made.
    let right = world.signed(&wave(), &world.certificate());
    let right: Value = serde_json::from_str(&right).expect("json");
    let forged = with(&stolen, "key", &right["key"]);
    let message = "the signature is forged: the key beside it has not made it";
    assert_eq!(refused(&wave(), &forged, &world.trust()), message);
    // The mark is a word of the name, not a part of one.
    for name in [format!("x{}", world.key.mark()), format!("{}x", world.key.mark())] {
        let certificate = world.certificate_by(&world.galaxy, ISSUER, &name);
        let file = world.signed(&wave(), &certificate);
        assert!(verify(&wave(), &file, &world.trust()).is_err(), "{name}");
    }
}

#[test]
fn a_key_that_is_known_from_elsewhere_needs_no_name() {
    let world = World::new();
    let certificate = world.certificate_by(&world.galaxy, ISSUER, "Wavers");
    let signed = sign(&wave(), &certificate, &world.key, world.now).expect("signed");
    assert!(!signed.named);
    assert!(verify(&wave(), &signed.file, &world.trust()).is_err());
    let trust = Trust { key: Some(world.key.mark()), ..world.trust() };
    assert!(!verify(&wave(), &signed.file, &trust).expect("valid").named);
    let other = PublisherKey::new(&[9; 32]).mark();
    let trust = Trust { key: Some(other.clone()), ..world.trust() };
    let told = refused(&wave(), &signed.file, &trust);
    assert_eq!(told, format!("it is signed with {}, not with {other}", world.key.mark()));
    // Even where the certificate names the key.
    let named = world.signed(&wave(), &world.certificate());
    assert_eq!(refused(&wave(), &named, &trust), told);
}

#[test]
fn a_changed_byte_and_an_added_file_are_seen() {
    let world = World::new();
    let file = world.signed(&wave(), &world.certificate());
    let changed = packed(&[(MAIN_FILE, &main_file("").replace("Wave.", "Bite."))]);
    let added = packed(&[(MAIN_FILE, &main_file("")), ("scripts/x.sh", "rm -r ~")]);
    let renamed = packed(&[(MAIN_FILE, &main_file("").replace("1.0.0", "1.0.1"))]);
    for pack in [changed, added, renamed] {
        let told = refused(&pack, &file, &world.trust());
        assert_eq!(told, "the skill is not the one that was signed: its bytes are others");
    }
    let pack = wave();
    for at in 0..pack.len() {
        let mut changed = pack.clone();
        changed[at] ^= 0x20;
        assert!(verify(&changed, &file, &world.trust()).is_err(), "byte {at}");
    }
}

#[test]
fn one_changed_character_of_the_signature_is_seen() {
    let world = World::new();
    let file = world.signed(&wave(), &world.certificate());
    // The JSON's own blanks and line ends mean nothing.
    let meant = file.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric());
    for (at, c) in meant.step_by(5) {
        let mut changed = file.clone();
        changed.replace_range(at..=at, if c == 'A' { "B" } else { "A" });
        assert!(verify(&wave(), &changed, &world.trust()).is_err(), "character {at}");
    }
}

#[test]
fn a_certificate_of_another_galaxy_is_refused() {
    let world = World::new();
    let name = format!("Wavers {}", world.key.mark());
    let elsewhere = SigningKey::from_bytes(&[7; 32]);
    let strange = world.certificate_by(&elsewhere, "https://else.example", &name);
    let told = refused(&wave(), &world.signed(&wave(), &strange), &world.trust());
    let message = format!("the publisher's certificate is not one of the galaxy {ISSUER}");
    assert_eq!(told, message);
    // What it says of itself is a stranger's word, and paints over no terminal.
    let painted = world.certificate_by(&elsewhere, "\u{1b}[2J\u{202e}ours", &name);
    let refusal = verify(&wave(), &world.signed(&wave(), &painted), &world.trust());
    let help = refusal.expect_err("refused").help.expect("help");
    assert!(help.starts_with("it says that it comes from \u{fffd}[2J\u{fffd}ours;"), "{help}");
    // It pretends to be ours.
    let pretended = world.certificate_by(&elsewhere, ISSUER, &name);
    assert_eq!(refused(&wave(), &world.signed(&wave(), &pretended), &world.trust()), message);
    // The same key serves another galaxy.
    let twin = world.certificate_by(&world.galaxy, "https://else.example", &name);
    let told = refused(&wave(), &world.signed(&wave(), &twin), &world.trust());
    let message = "the publisher's certificate is of the galaxy https://else.example, not ";
    assert_eq!(told, format!("{message}{ISSUER}"));
}

#[test]
fn a_statement_is_about_one_certificate() {
    let world = World::new();
    let file = world.signed(&wave(), &world.certificate());
    // A later certificate of the same duckling that names the same key.
    let galaxy = &world.galaxy;
    let later = World { now: world.now + beak_core::Duration::SECOND, ..World::new() };
    let other = later.certificate_by(galaxy, ISSUER, &format!("Wavers {}", world.key.mark()));
    let told = refused(&wave(), &with(&file, "certificate", &json!(other)), &world.trust());
    assert_eq!(told, "the signature is of another certificate");
    // A certificate is no statement, whoever signed it.
    let json: Value = serde_json::from_str(&file).expect("json");
    let told = refused(&wave(), &with(&file, "signature", &json["certificate"]), &world.trust());
    assert!(told.starts_with("the signature is forged"), "{told}");
}

/// The file with another statement, signed with the right key: what `sign` would never write.
fn restated(world: &World, file: &str, field: &str, value: &str) -> String {
    let json: Value = serde_json::from_str(file).expect("json");
    let compact = json["signature"].as_str().expect("text");
    let payload = compact.split('.').nth(1).expect("a payload");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let mut payload: Value = serde_json::from_slice(&payload).expect("json");
    payload[field] = json!(value);
    let input = jws::input(&payload, TYPE, &world.key.public().kid).expect("written");
    let signature = world.key.sign(input.as_bytes());
    with(file, "signature", &json!(jws::sealed(input, &signature)))
}

#[test]
fn a_statement_agrees_with_everything_beside_it() {
    let world = World::new();
    let file = world.signed(&wave(), &world.certificate());
    for (field, value, why) in [
        ("iss", "https://else.example", "of another galaxy"),
        ("sub", world.duckling(8).as_str(), "of another certificate"),
        ("cert_id", "crt_x", "of another certificate"),
        ("sha256", "00", "its bytes are others"),
        ("skill", "waves", "of another skill or version"),
        ("version", "1.0.1", "of another skill or version"),
        ("more", "x", "forged"),
    ] {
        let told = refused(&wave(), &restated(&world, &file, field, value), &world.trust());
        assert!(told.contains(why), "{field}: {told}");
    }
    assert!(verify(&wave(), &restated(&world, &file, "skill", "wave"), &world.trust()).is_ok());
    // The skill names a publisher, and another one signs it.
    let theirs = format!("  galaxy-publisher: {}\n", world.duckling(8));
    let pack = packed(&[(MAIN_FILE, &main_file(&theirs))]);
    let file = restated(&world, &file, "sha256", &digest(&pack));
    assert!(refused(&pack, &file, &world.trust()).contains(", and names dkl_"));
}

#[test]
fn the_publisher_is_the_one_that_is_meant() {
    let world = World::new();
    let file = world.signed(&wave(), &world.certificate());
    let trust = Trust { publisher: Some(world.duckling(8)), ..world.trust() };
    assert!(refused(&wave(), &file, &trust).starts_with("it is published by dkl_"));
    let theirs = format!("  galaxy-publisher: {}\n", world.duckling(8));
    let pack = packed(&[(MAIN_FILE, &main_file(&theirs))]);
    let refusal = sign(&pack, &world.certificate(), &world.key, world.now).expect_err("refused");
    assert!(refusal.message.starts_with("the skill names dkl_"), "{}", refusal.message);
    let ours = format!("  galaxy-publisher: {}\n", world.duckling(1));
    let pack = packed(&[(MAIN_FILE, &main_file(&ours))]);
    let file = world.signed(&pack, &world.certificate());
    assert!(verify(&pack, &file, &world.trust()).is_ok());
}

#[test]
fn weak_keys_and_broken_files_are_refused() {
    let world = World::new();
    let file = world.signed(&wave(), &world.certificate());
    // Points of small order verify anything under careless rules.
    for weak in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let changed = with(&file, "key", &json!(URL_SAFE_NO_PAD.encode(weak)));
        assert!(refused(&wave(), &changed, &world.trust()).contains("forged"));
    }
    for (file, why) in [
        (String::new(), "can't be read"),
        ("{}".into(), "missing field"),
        (with(&file, "galaxy_skill_signature", &json!(2)), "version 2"),
        (with(&file, "more\u{1b}", &json!(2)), "unknown field `more\u{fffd}`"),
        (with(&file, "key", &json!("short")), "forged"),
        (with(&file, "certificate", &json!("a.b")), "not a birth certificate"),
        (with(&file, "certificate", &json!("x".repeat(20_000))), "more than 16384 bytes"),
    ] {
        let told = refused(&wave(), &file, &world.trust());
        assert!(told.contains(why), "{told}");
    }
    for (set, why) in [("<html>", "can't be read"), ("{\"keys\":[]}", "no Ed25519 key")] {
        assert!(keys(set).expect_err("refused").message.contains(why), "{set}");
    }
}

#[test]
fn what_was_signed_before_a_move_counts_where_the_galaxy_lists_its_former_address() {
    const NEW: &str = "https://new.example/prod";
    let (world, pack) = (World::new(), wave());
    let signed = world.signed(&pack, &world.certificate());
    let listing = |listed: &[&str]| {
        let json = json!({"keys": [], "issuers": listed}).to_string();
        Trust { issuer: Some(NEW.into()), issuers: issuers(&json), ..world.trust() }
    };
    let found = verify(&pack, &signed, &listing(&[NEW, ISSUER])).expect("its own");
    assert_eq!(found.claims.issuer, ISSUER);
    for listed in [&[][..], &[NEW], &[ISSUER]] {
        let refusal = verify(&pack, &signed, &listing(listed)).expect_err("another galaxy's");
        assert!(refusal.message.contains(ISSUER), "{}", refusal.message);
    }
    assert_eq!(issuers("no JSON"), Vec::<String>::new());
}

#[test]
fn what_is_no_skill_is_not_signed() {
    let world = World::new();
    let pack = packed(&[(MAIN_FILE, "# Wave")]);
    let refusal = sign(&pack, &world.certificate(), &world.key, world.now).expect_err("refused");
    assert_eq!(refusal.message, "SKILL.md does not begin with front matter");
    let refusal = sign(&wave(), "not.a.certificate", &world.key, world.now).expect_err("refused");
    assert_eq!(refusal.message, "the certificate is not a birth certificate");
}

#[test]
fn a_key_is_kept_as_openssl_keeps_it() {
    let key = World::new().key;
    let pem = key.to_pem().expect("written");
    assert!(pem.as_ref().starts_with("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI"));
    assert_eq!(PublisherKey::from_pem(pem.as_ref()).expect("read").mark(), key.mark());
    assert!(!format!("{key:?}").contains(&key.mark()));
    assert!(PublisherKey::from_pem("-----BEGIN PRIVATE KEY-----\n").is_none());
}
