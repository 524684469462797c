//! Pages that are made of facts and the sentences to them.

use crate::page::Page;
use crate::{Input, Mistake};

/// All generated pages.
pub(crate) fn pages(_input: &Input, _mistakes: &mut Vec<Mistake>) -> Vec<Page> {
    Vec::new()
}
