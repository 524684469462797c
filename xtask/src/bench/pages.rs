//! How long the pages of all five sites take to be made.

use std::path::Path;
use std::time::Instant;

use crate::Outcome;

/// The number of measurements; the median is reported.
const TIMES: usize = 7;

/// Makes all pages some times over.
pub(super) fn make(root: &Path) -> Outcome<Vec<String>> {
    let mut times = Vec::new();
    let mut pages = 0;
    for _ in 0..TIMES {
        let begin = Instant::now();
        let input = galaxy_pages::read::input(root).map_err(|error| error.to_string())?;
        let built = galaxy_pages::build(&input);
        times.push(begin.elapsed());
        pages = built.files.iter().filter(|file| file.path.ends_with("html")).count();
    }
    times.sort_unstable();
    let median = times.get(TIMES / 2).copied().unwrap_or_default();
    let unoptimised = if cfg!(debug_assertions) { ", unoptimised" } else { "" };
    let seconds = median.as_secs_f64();
    Ok(vec![format!("making {pages} pages of five sites{unoptimised}: {seconds:.2} s")])
}
