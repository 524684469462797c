//! Galaxy skills: what one is, and how it is checked, packed, signed and verified.
//!
//! ```text
//! folder → Tree → check → Skill → pack → bytes → sign → signature
//!                  bytes + signature + keys of a galaxy → verify → who published it
//! ```
//!
//! Knows nothing of command lines and networks. `docs/skills.md` says the same for people.

mod check;
mod fields;
mod key;
mod links;
mod mistake;
mod pack;
mod signature;
mod text;
mod tree;
mod verify;
mod yaml;

pub use check::{Skill, check};
pub use fields::schema;
pub use key::{PublisherKey, is_mark};
pub use mistake::{Mistake, Place};
pub use pack::{PACK_LIMIT, pack, unpack};
pub use signature::{SIGNATURE_LIMIT, Signed, digest, sign};
pub use text::visible;
pub use tree::{FILE_LIMIT, FILES_LIMIT, MAIN_FILE, PACK_ENDING, TREE_LIMIT, Tree};
pub use verify::{Trust, Verified, issuers, keys, verify};
