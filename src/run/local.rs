//! The command that runs a galaxy on this machine, with pages of one's own where there are any.

use std::path::Path;

use beak_local::{Options, OwnPages};

use crate::cli::Shared;
use crate::failure::{Failure, Kind};
use crate::site;

pub(super) async fn local(
    shared: &Shared,
    port: u16,
    data: &Path,
    limits: bool,
) -> Result<(), Failure> {
    let own = match super::configuration(shared)?.pages {
        None => None,
        Some(folder) => {
            let content = site::own::content(&folder)?;
            let read = |folder: &Path| site::own::content(folder).map_err(|f| f.to_text());
            Some(OwnPages { folder, content, read })
        }
    };
    beak_local::serve(Options { port, data: data.to_owned(), limits, own })
        .await
        .map_err(|error| Failure::new(Kind::Input, error.to_string()).help(error.help()))
}
