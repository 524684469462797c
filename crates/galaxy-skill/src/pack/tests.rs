//! Packs are the same bytes from the same files, and nothing else is a pack.

use zip::write::{FullFileOptions, SimpleFileOptions};

use super::*;

fn tree() -> Tree {
    let mut tree = Tree::default();
    for (path, bytes) in [("SKILL.md", "---\n"), ("references/a.md", "a"), ("empty", "")] {
        tree.add(path, bytes.into()).expect("a file");
    }
    tree
}

/// A zip of these entries, written by the library's own hand.
fn zip(entries: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in entries {
        zip.start_file(*path, options).expect("an entry");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

fn refused(bytes: &[u8]) -> String {
    unpack(bytes).expect_err("refused").message
}

#[test]
fn the_same_files_are_the_same_bytes_and_come_back() {
    let packed = pack("wave", &tree()).expect("packed");
    assert_eq!(pack("wave", &tree()).expect("packed"), packed);
    assert_eq!(unpack(&packed).expect("unpacked"), ("wave".to_owned(), tree()));
    // Written down: should it ever change, all signatures of folders would be void.
    let digest = crate::digest(&packed);
    assert_eq!(digest, "980736ad41ad19c48f3bc086d832ec93555d1fc0438126cca9e9bf52effa1040");
}

#[test]
fn one_changed_byte_anywhere_is_seen() {
    let packed = pack("wave", &tree()).expect("packed");
    for at in 0..packed.len() {
        let mut changed = packed.clone();
        changed[at] ^= 1;
        if let Ok(found) = unpack(&changed) {
            assert_ne!(found, ("wave".to_owned(), tree()), "byte {at}");
        }
    }
    for end in 0..packed.len() {
        assert!(unpack(&packed[..end]).is_err(), "cut at {end}");
    }
    for more in [[packed.as_slice(), b"x"].concat(), [b"x", packed.as_slice()].concat()] {
        assert!(unpack(&more).is_err());
    }
    assert!(refused(b"not a zip at all").contains("is not a pack"));
}

#[test]
fn a_path_that_climbs_out_is_refused() {
    for (path, why) in [
        ("wave/../../etc/cron.d/x", "climbs out"),
        ("../wave/SKILL.md", "climbs out"),
        ("/etc/passwd", "absolute"),
        ("wave\\..\\x", "climbs out"),
        ("C:\\wave\\x", "absolute"),
        ("SKILL.md", "does not lie in the skill's folder"),
        ("wave/.git/hooks/post-checkout", "hidden"),
        ("wave//x", "no plain path"),
        ("other/x", "lies in another folder"),
    ] {
        let told = refused(&zip(&[("wave/SKILL.md", b"x"), (path, b"x")], stored()));
        assert!(told.contains(why), "{path}: {told}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let zeros = vec![0; 64 << 20];
    let deflated = stored().compression_method(CompressionMethod::Deflated);
    let bomb = zip(&[("wave/SKILL.md", &zeros)], deflated);
    assert!(bomb.len() < 100_000, "it is small");
    assert_eq!(refused(&bomb), "`wave/SKILL.md` is compressed, and nothing in a pack is");
    // It says that it is stored: then it would be as long as the file itself.
    let mut liar = pack("wave", &tree()).expect("packed");
    let entry = liar.windows(4).position(|four| four == b"PK\x01\x02").expect("a directory");
    for size in [20, 24] {
        liar[entry + size..entry + size + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    }
    assert_eq!(refused(&liar), "`wave/SKILL.md` is larger than it may be, or says so");
    // Many entries over the same bytes.
    let mut many = Tree::default();
    for number in 0..9 {
        many.add(&format!("{number}"), vec![0; 1 << 20]).expect("a file");
    }
    let told = refused(&pack("wave", &many).expect("packed"));
    assert!(told.contains("more than"), "{told}");
    let names: Vec<_> = (0..300).map(|number| format!("wave/{number}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(refused(&zip(&entries, stored())), "there are more than 256 files");
}

#[test]
fn what_pack_would_not_have_written_is_refused() {
    let one: &[(&str, &[u8])] = &[("wave/SKILL.md", b"x")];
    let plain = zip(one, stored());
    assert!(unpack(&plain).is_ok(), "the way it is right");
    let when = DateTime::from_date_and_time(2026, 3, 21, 12, 0, 0).expect("a time");
    let beside = "the pack holds something beside the files, or holds them in another way";
    assert_eq!(refused(&zip(one, stored().last_modified_time(when))), beside);
    assert_eq!(refused(&zip(one, stored().unix_permissions(0o4755))), beside);
    let unsorted = zip(&[("wave/b", b"x"), ("wave/a", b"x")], stored());
    assert_eq!(refused(&unsorted), beside);
    assert_eq!(
        refused(&zip(&[("wave/a", b"x"), ("wave/A", b"x")], stored())),
        "`a` and `A` are one name on many machines"
    );
    let mut commented = ZipWriter::new_append(Cursor::new(plain.clone())).expect("a zip");
    commented.set_comment("hello").expect("a comment");
    assert_eq!(refused(&commented.finish().expect("a zip").into_inner()), beside);
    let mut linked = ZipWriter::new_append(Cursor::new(plain.clone())).expect("a zip");
    linked.add_symlink("wave/link", "/etc/passwd", stored()).expect("a link");
    let linked = linked.finish().expect("a zip").into_inner();
    assert_eq!(refused(&linked), "`wave/link` is a symbolic link");
    let mut folder = ZipWriter::new_append(Cursor::new(plain)).expect("a zip");
    folder
        .add_directory::<_, zip::write::ExtendedFileOptions>("wave/x", FullFileOptions::default())
        .expect("a folder");
    let folder = folder.finish().expect("a zip").into_inner();
    assert_eq!(refused(&folder), "`wave/x/` is not a file");
    assert_eq!(refused(&zip(&[], stored())), "the pack is empty");
}
