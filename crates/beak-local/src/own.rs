//! The operator's own pages: a change is visible at the next request.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use galaxy_sites::Content;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::sites::Sites;

/// A folder of own pages.
pub struct OwnPages {
    /// Where they are.
    pub folder: PathBuf,
    /// All files of the sites with those of the folder, as they are at the start.
    pub content: Content,
    /// Reads the folder again; its mistakes, in words for people.
    pub read: fn(&Path) -> Result<Content, String>,
}

/// A file of the folder: if any of this changes, the folder is read again.
#[derive(PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    bytes: u64,
    changed: Option<SystemTime>,
}

/// Looks whether something in the folder has changed.
pub(crate) struct Watch {
    folder: PathBuf,
    read: fn(&Path) -> Result<Content, String>,
    seen: Mutex<Vec<Stamp>>,
}

impl Watch {
    pub(crate) fn new(own: &OwnPages) -> Self {
        let seen = Mutex::new(stamps(&own.folder));
        Self { folder: own.folder.clone(), read: own.read, seen }
    }

    /// Serves the folder as it is now. A mistake in it is reported, and what was served before
    /// stays.
    pub(crate) async fn look(&self, sites: &Sites) {
        let mut seen = self.seen.lock().await;
        let now = stamps(&self.folder);
        if *seen == now {
            return;
        }
        *seen = now;
        let (folder, read) = (self.folder.clone(), self.read);
        let content = match spawn_blocking(move || read(&folder)).await {
            Ok(content) => content,
            Err(error) => Err(error.to_string()),
        };
        let shown = content.and_then(|new| sites.show(&new).map_err(|error| error.to_string()));
        if let Err(text) = shown {
            tracing::error!("your pages stay as they were:\n{}", text.trim_end());
        }
    }
}

/// Every file below the folder. What can't be read is reported when it is read.
fn stamps(folder: &Path) -> Vec<Stamp> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            // A link to a folder is a mistake anyway, and might lead in a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
                continue;
            }
            let about = fs::metadata(&path).ok();
            let bytes = about.as_ref().map_or(0, fs::Metadata::len);
            let changed = about.and_then(|about| about.modified().ok());
            found.push(Stamp { path, bytes, changed });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}
