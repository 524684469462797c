//! One port for everything: the requested host name decides who answers.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Json, Response};
use beak_api::ClientAddress;
use beak_core::Galaxy;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::error::LocalError;
use crate::outbox::{self, Outbox};
use crate::own::Watch;
use crate::pages;
use crate::sites::Sites;

/// Everything that answers.
pub(crate) struct Home {
    pub(crate) port: u16,
    pub(crate) galaxy: Arc<Galaxy>,
    pub(crate) beak: Router,
    pub(crate) sites: Sites,
    pub(crate) own: Option<Watch>,
    pub(crate) outbox: Outbox,
}

/// How long a client may take to say what it asks for.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait where no connection can be accepted.
const PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections until `stop` is set, then ends the open ones.
///
/// By hand, because `axum::serve` has no time limit for headers, and silently ignores a connection
/// that can't be accepted.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    home: Arc<Home>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = until(&mut stop) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => {
                connections.spawn(converse(stream, from, Arc::clone(&home), stop.clone()));
            }
            Err(error) if was_given_up(&error) => {}
            // Too many open files, for example: it passes when others hang up.
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                #[expect(
                    clippy::disallowed_methods,
                    reason = "nothing reports that a descriptor is free"
                )]
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until it is time to stop.
async fn until(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Whether the other side hung up before it was let in.
fn was_given_up(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn converse(
    stream: tokio::net::TcpStream,
    from: SocketAddr,
    home: Arc<Home>,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let home = Arc::clone(&home);
        async move { Ok::<_, Infallible>(answer(&home, from, request.map(Body::new)).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

async fn answer(home: &Home, from: SocketAddr, mut request: Request) -> Response {
    let host = host(&request);
    match host.as_deref() {
        Some("localhost" | "127.0.0.1" | "[::1]") => {
            let path = request.uri().path();
            let to_api = match path {
                "/beak" | "/beak/" => !wants_html(&request),
                path => path.starts_with("/beak/"),
            };
            if to_api {
                request.extensions_mut().insert(ClientAddress(from.ip()));
                return match home.beak.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
            }
            own(home, &request)
        }
        Some(name) => {
            if let Some(own) = &home.own {
                own.look(&home.sites).await;
            }
            let site = name.strip_suffix(".localhost").unwrap_or_default();
            let uri = request.uri();
            let target = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
            let answer = home.sites.answer(site, request.method(), target, request.headers());
            // Any other name is a DNS record of someone else that points here, to reach the galaxy
            // through a visitor's browser (DNS rebinding).
            answer.unwrap_or_else(|| {
                let start = format!("http://localhost:{}/", home.port);
                let text = format!("there is no site `{name}` here; see {start}\n");
                (StatusCode::MISDIRECTED_REQUEST, text).into_response()
            })
        }
        None => (StatusCode::BAD_REQUEST, "a request names one host, once\n").into_response(),
    }
}

/// Whether a browser asks, which shows pages.
fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The requested name, without the port; none if there are several, which a proxy in front may read
/// differently (RFC 9112, section 3.2).
fn host(request: &Request) -> Option<String> {
    let mut all = request.headers().get_all(header::HOST).iter();
    let value = all.next().filter(|_| all.next().is_none())?.to_str().ok()?;
    let name = match value.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => value,
    };
    Some(name.to_ascii_lowercase())
}

fn own(home: &Home, request: &Request) -> Response {
    let mails = || home.outbox.list();
    let broken = || StatusCode::SERVICE_UNAVAILABLE.into_response();
    let (method, path) = (request.method(), request.uri().path());
    let mut response = match path {
        "/" | "/outbox" | "/outbox.json" if !reads(method) => only_read(),
        "/" => Html(pages::home(home.port)).into_response(),
        "/beak" | "/beak/" => Html(pages::beak(home.port)).into_response(),
        "/outbox" => mails().map_or_else(|_| broken(), |m| Html(outbox::page(&m)).into_response()),
        "/outbox.json" => mails().map_or_else(|_| broken(), |m| Json(m).into_response()),
        _ => {
            // Style and mark are the sites' own.
            let shared = if path.starts_with("/shared/") { path } else { "/404.html" };
            let site = galaxy_sites::Site::ALL[0].name();
            let file = home.sites.answer(site, method, shared, request.headers());
            let mut file = file.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response());
            if reads(method) && !path.starts_with("/shared/") {
                *file.status_mut() = StatusCode::NOT_FOUND;
            }
            file
        }
    };
    let no_store = axum::http::HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    home.sites.protect(&mut response);
    response
}

/// Whether a method is one that pages have.
pub(crate) fn reads(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// What pages say to other methods.
pub(crate) fn only_read() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response()
}

/// Listens on this machine only: at both addresses that `localhost` may mean.
pub(crate) fn listen(port: u16) -> Result<Vec<TcpListener>, LocalError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => LocalError::PortTaken(port),
        _ => LocalError::Port(port, error.to_string()),
    };
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
    let chosen = first.local_addr().map_err(failed)?.port();
    let mut listeners = vec![first];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, chosen)) {
        Ok(second) => listeners.push(second),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Err(failed(error)),
        // A machine without IPv6.
        Err(_) => {}
    }
    for listener in &listeners {
        listener.set_nonblocking(true).map_err(failed)?;
    }
    Ok(listeners)
}
