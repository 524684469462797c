//! A doorstep: parse, run, exit code.
fn main() {}
