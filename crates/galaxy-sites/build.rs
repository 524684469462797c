//! Has the pages embedded again when one of them was edited.

fn main() {
    println!("cargo:rerun-if-changed=../../sites");
}
