//! Company networks: a certificate authority of their own, proxies, pages that ask for a sign-in,
//! and the profiles that people sign in with. Every HTTPS request of the program goes by them.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls/ca.pem");
const SERVER: &[u8] = include_bytes!("fixtures/tls/localhost.pem");

/// A server at a port of localhost that gives every request the same answer.
struct Server {
    port: u16,
    /// The first line of each request.
    heard: Arc<Mutex<Vec<String>>>,
}

/// Over TLS, with a certificate of the tests' own authority.
fn tls(answer: &'static str) -> Server {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain: Vec<_> = CertificateDer::pem_slice_iter(SERVER).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(SERVER).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    serve(move |stream, heard| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        exchange(&mut StreamOwned::new(connection, stream), heard, answer);
    })
}

/// Without TLS: a proxy, or what pretends to be AWS.
fn plain(answer: &'static str) -> Server {
    serve(move |mut stream, heard| exchange(&mut stream, heard, answer))
}

fn serve(one: impl Fn(std::net::TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    // The thread ends with the test's process.
    thread::spawn(move || {
        let one = Arc::new(one);
        for stream in listener.incoming().map_while(Result::ok) {
            let (one, ears) = (Arc::clone(&one), Arc::clone(&ears));
            thread::spawn(move || one(stream, &ears));
        }
    });
    Server { port, heard }
}

fn exchange<S: std::io::Read + std::io::Write>(
    stream: &mut S,
    heard: &Mutex<Vec<String>>,
    answer: &str,
) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            _ => return,
        }
    }
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    heard.lock().unwrap().push(line);
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

impl Server {
    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Runs the program in a folder where nothing is set but this; its exit code and what it said.
fn run(folder: &Path, line: &[&str], set: &[(&str, &str)]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
        .args(line)
        .env_clear()
        .env("HOME", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", "eu-central-1")
        .envs(set.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    (output.status.code().unwrap(), said.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("duck.zip"), "no pack").unwrap();
    std::fs::write(folder.path().join("duck.zip.sig"), "no signature").unwrap();
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    folder
}

/// What `skill verify` says that asks a galaxy at this port.
fn verify(folder: &Path, port: u16, set: &[(&str, &str)]) -> String {
    let galaxy = format!("https://localhost:{port}");
    run(folder, &["skill", "verify", "duck.zip", "--galaxy", &galaxy], set).1
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")];
const JSON: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}";
const PAGE: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<html>Hi</html>";
const SIGN_IN: &str =
    "HTTP/1.1 302 Found\r\nlocation: http://login.hotel.test/\r\ncontent-length: 0\r\n\r\n";

#[test]
fn a_galaxy_behind_the_networks_own_authority() {
    let (folder, server) = (folder(), tls(JSON));
    let at = folder.path();
    let told = verify(at, server.port, &[]);
    assert!(told.contains("AWS_CA_BUNDLE") && told.contains("ca_bundle"), "{told}");
    assert_eq!(server.heard(), [""; 0], "nothing was said before trust");
    let told = verify(at, server.port, &[("AWS_CA_BUNDLE", CA)]);
    assert!(!told.contains("AWS_CA_BUNDLE"), "{told}");
    assert_eq!(server.heard(), ["GET /beak/jwks.json HTTP/1.1"]);
    std::fs::write(at.join(".aws/config"), format!("[profile work]\nca_bundle = {CA}\n")).unwrap();
    verify(at, server.port, &[("AWS_PROFILE", "work")]);
    assert_eq!(server.heard().len(), 2, "the profile's bundle is trusted");
    let told = verify(at, server.port, &[("AWS_CA_BUNDLE", "duck.zip")]);
    assert!(told.contains("`AWS_CA_BUNDLE` names `duck.zip`, which is no CA bundle"), "{told}");
}

#[test]
fn aws_behind_the_networks_own_authority() {
    let (folder, server) = (folder(), tls(PAGE));
    let at = folder.path();
    let endpoint = format!("https://localhost:{}", server.port);
    let mut set = KEYS.to_vec();
    set.push(("AWS_ENDPOINT_URL", &endpoint));
    let (code, told) = run(at, &["status"], &set);
    assert!(code == 4 && told.contains("AWS_CA_BUNDLE"), "{code}: {told}");
    set.push(("AWS_CA_BUNDLE", CA));
    let (code, told) = run(at, &["status"], &set);
    assert!(told.contains("a web page (status 200) instead of an API's answer"), "{told}");
    assert!(code == 4 && !server.heard().is_empty(), "{code}: {told}");
}

#[test]
fn a_network_that_asks_for_a_sign_in_is_told_as_one() {
    let folder = folder();
    for (answer, says) in [
        (PAGE, "a web page (status 200) instead of an API's answer"),
        (SIGN_IN, "a redirect (status 302) instead of an API's answer"),
    ] {
        let server = plain(answer);
        let endpoint = format!("http://127.0.0.1:{}", server.port);
        let mut set = KEYS.to_vec();
        set.push(("AWS_ENDPOINT_URL", &endpoint));
        let (code, told) = run(folder.path(), &["status"], &set);
        assert!(code == 4 && told.contains(says), "{code}: {told}");
        assert!(told.contains("open a browser and sign in"), "{told}");
        let galaxy = tls(answer);
        let told = verify(folder.path(), galaxy.port, &[("AWS_CA_BUNDLE", CA)]);
        assert!(told.contains(says) && told.contains("open a browser"), "{told}");
    }
}

#[test]
fn every_request_goes_through_the_proxy_unless_its_host_is_named() {
    let (folder, galaxy) = (folder(), tls(JSON));
    let at = folder.path();
    let refuses = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let proxy = plain(refuses);
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let set = [("HTTPS_PROXY", address.as_str()), ("AWS_CA_BUNDLE", CA)];
    let told = verify(at, galaxy.port, &set);
    assert_eq!(proxy.heard(), [format!("CONNECT localhost:{} HTTP/1.1", galaxy.port)]);
    assert!(told.contains("HTTPS_PROXY"), "{told}");
    assert_eq!(galaxy.heard(), [""; 0]);
    let mut direct = set.to_vec();
    direct.push(("NO_PROXY", "localhost"));
    verify(at, galaxy.port, &direct);
    assert_eq!(galaxy.heard(), ["GET /beak/jwks.json HTTP/1.1"]);
    let endpoint = format!("https://localhost:{}", galaxy.port);
    let mut aws = [&KEYS[..], &set[..]].concat();
    aws.push(("AWS_ENDPOINT_URL", &endpoint));
    let (_, told) = run(at, &["status"], &aws);
    assert!(told.contains("HTTPS_PROXY") && proxy.heard().len() > 1, "{told}");
}

#[test]
fn profiles_that_people_sign_in_with() {
    let folder = folder();
    let at = folder.path();
    let config = "[profile login]\nlogin_session = arn:aws:iam::111122223333:user/duck\n\
                  [profile code]\nrole_arn = arn:aws:iam::111122223333:role/duck\n\
                  source_profile = keys\nmfa_serial = arn:aws:iam::111122223333:mfa/duck\n\
                  [profile keys]\naws_access_key_id = A\naws_secret_access_key = B\n";
    std::fs::write(at.join(".aws/config"), config).unwrap();
    for (set, line, says) in [
        (&[("AWS_PROFILE", "login")][..], &["status"][..], "`aws sso login`"),
        (
            &[],
            &["status", "--profile", "login"],
            "session of `aws login`, which spaceduck can't read",
        ),
        (
            &[],
            &["status", "--profile", "code"],
            "wants an MFA code (`mfa_serial`), and stdin is not a terminal",
        ),
        (&[], &["status", "--profile", "dcuk"], "there is no AWS profile `dcuk` (--profile)"),
        (&[("AWS_PROFILE", "dcuk")], &["status"], "there are: code, keys, login"),
    ] {
        let (code, told) = run(at, line, set);
        assert!(code == 5 && told.contains(says), "{line:?} {code}: {told}");
    }
    // An unknown profile is told before the Region that it would have had.
    let (_, told) = run(at, &["status", "--profile", "dcuk"], &[("AWS_REGION", "")]);
    assert!(told.contains("there is no AWS profile `dcuk`"), "{told}");
}
