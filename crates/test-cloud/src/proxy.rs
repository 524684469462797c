//! A door in front of the emulator, at which a call can be held, refused, torn off or answered
//! falsely.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::http::response;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::Cloud;
use crate::call::Call;
use crate::refusal::{Refusal, refuse};

/// What happens to a call.
#[derive(Clone)]
pub enum Trouble {
    /// It is not passed on. Nothing gets through any more, and then this is done.
    Before(Arc<dyn Fn() + Send + Sync>),
    /// It is passed on, and its answer kept back. Nothing gets through any more, and then this is
    /// done.
    After(Arc<dyn Fn() + Send + Sync>),
    /// It is not passed on; the service refuses it.
    Refused(Refusal),
    /// It is not passed on, and never answered.
    Silence,
    /// It is not passed on; the connection breaks.
    Reset,
    /// It is passed on, and the connection breaks before its answer.
    Lost,
    /// It gets the answer that the same question got the last time. Does not happen to one that
    /// is asked for the first time.
    Stale,
    /// Stacks in its answer have this status. Does not happen to an answer without stacks.
    StackStatus(&'static str),
}

type Which = Box<dyn Fn(&Call) -> bool + Send>;

struct Rule {
    which: Which,
    times: usize,
    trouble: Trouble,
}

/// A whole answer.
#[derive(Clone)]
struct Answer {
    head: Arc<response::Parts>,
    body: Bytes,
}

impl Answer {
    fn to_response(&self) -> Response<Full<Bytes>> {
        Response::from_parts((*self.head).clone(), Full::new(self.body.clone()))
    }
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    changes: usize,
    rules: VecDeque<Rule>,
    fired: Vec<Call>,
    /// Nothing gets through.
    shut: bool,
    /// How many requests are with the emulator.
    under_way: usize,
    /// What a question was answered the last time.
    answers: BTreeMap<String, Answer>,
}

struct Shared {
    upstream: String,
    state: Mutex<State>,
    rest: Condvar,
}

/// A running door; it closes when this is dropped.
pub struct Proxy {
    address: String,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

/// The connection is to break.
#[derive(Debug)]
struct Torn;

impl std::fmt::Display for Torn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("torn off")
    }
}

impl std::error::Error for Torn {}

impl Proxy {
    /// Opens one in front of a cloud.
    #[must_use]
    pub fn before(cloud: &Cloud) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let shared = Arc::new(Shared {
            upstream: cloud.address(),
            state: Mutex::default(),
            rest: Condvar::new(),
        });
        runtime.spawn(listen(listener, Arc::clone(&shared)));
        Self { address, shared, _runtime: runtime }
    }

    /// `HOST:PORT` of everything.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The environment of a program that is to work with the cloud through this door.
    #[must_use]
    pub fn environment(&self, cloud: &Cloud) -> Vec<(&'static str, String)> {
        let mut environment = cloud.environment();
        for (name, value) in &mut environment {
            if *name == "AWS_ENDPOINT_URL" {
                *value = format!("http://{}", self.address);
            }
        }
        environment
    }

    /// Lets something happen to the next calls of a kind, so many times.
    pub fn on(
        &self,
        trouble: Trouble,
        times: usize,
        which: impl Fn(&Call) -> bool + Send + 'static,
    ) {
        let rule = Rule { which: Box::new(which), times, trouble };
        self.shared.lock().rules.push_back(rule);
    }

    /// The calls to which something happened.
    #[must_use]
    pub fn fired(&self) -> Vec<Call> {
        self.shared.lock().fired.clone()
    }

    /// Waits until nothing is under way, lets everything through again and counts from 1. Gives
    /// the calls so far.
    pub fn calm(&self) -> Vec<Call> {
        let state = self.shared.lock();
        let still = |state: &mut State| state.under_way > 0;
        let waited = self.shared.rest.wait_while(state, still);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *state).calls
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says what is to happen to it.
    fn enter(&self, call: &mut Call) -> Option<Trouble> {
        let mut state = self.lock();
        state.changes += usize::from(call.changes);
        (call.number, call.change) = (state.calls.len() + 1, state.changes);
        state.calls.push(call.clone());
        let matching = |rule: &Rule| rule.times > 0 && (rule.which)(call);
        let at = state.rules.iter().position(matching)?;
        if matches!(state.rules[at].trouble, Trouble::Stale)
            && !state.answers.contains_key(&call.question)
        {
            return None;
        }
        state.rules[at].times -= 1;
        state.fired.push(call.clone());
        let trouble = state.rules[at].trouble.clone();
        if matches!(trouble, Trouble::Before(_) | Trouble::After(_)) {
            state.shut = true;
        }
        Some(trouble)
    }

    fn is_shut(&self) -> bool {
        self.lock().shut
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&shared)));
    }
}

/// Serves one connection; a torn one ends in a reset, as a broken network's does.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // A second handle on the same socket, for what the server's half does not let one say.
    let Ok(stream) = stream.into_std() else { return };
    let Ok(twin) = stream.try_clone().and_then(TcpStream::from_std) else { return };
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let serve = service_fn(move |request| serve(request, Arc::clone(&shared)));
    let served = hyper::server::conn::http1::Builder::new();
    if served.serve_connection(TokioIo::new(stream), serve).await.is_err() {
        let _ = twin.set_zero_linger();
    }
}

async fn serve(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Torn> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Torn)?.to_bytes();
    let mut call = Call::read(&head, &body);
    if shared.is_shut() {
        pending::<Infallible>().await;
    }
    let is_head = head.method == Method::HEAD;
    let pass = |call: &Call| forward(Arc::clone(&shared), call.clone(), head, body);
    match shared.enter(&mut call) {
        None => Ok(pass(&call).await?.to_response()),
        Some(Trouble::Before(act)) => held(act).await,
        Some(Trouble::After(act)) => {
            let _ = pass(&call).await;
            held(act).await
        }
        Some(Trouble::Refused(refusal)) => Ok(refuse(refusal, call.dialect, is_head)),
        Some(Trouble::Silence) => pending().await,
        Some(Trouble::Reset) => Err(Torn),
        Some(Trouble::Lost) => pass(&call).await.and(Err(Torn)),
        Some(Trouble::Stale) => {
            // Once: the next one who asks this is told how it is.
            let known = shared.lock().answers.remove(&call.question);
            known.map(|answer| answer.to_response()).ok_or(Torn)
        }
        Some(Trouble::StackStatus(status)) => {
            let mut answer = pass(&call).await?;
            answer.body = with_status(&answer.body, status);
            Ok(answer.to_response())
        }
    }
}

async fn held(act: Arc<dyn Fn() + Send + Sync>) -> Result<Response<Full<Bytes>>, Torn> {
    let _ = tokio::task::spawn_blocking(move || act()).await;
    pending().await
}

/// Passes a call on. It goes through even if whoever made it is gone meanwhile, as on AWS.
async fn forward(
    shared: Arc<Shared>,
    call: Call,
    head: Parts,
    body: Bytes,
) -> Result<Answer, Torn> {
    shared.lock().under_way += 1;
    let passed = tokio::spawn(async move {
        let answer = ask(&shared.upstream, head, body).await;
        let mut state = shared.lock();
        state.under_way -= 1;
        if let (Ok(answer), Some(kept)) = (&answer, state.calls.get_mut(call.number - 1)) {
            kept.answer = String::from_utf8_lossy(&answer.body).into_owned();
        }
        if let (Ok(answer), false) = (&answer, call.changes) {
            state.answers.insert(call.question, answer.clone());
        }
        shared.rest.notify_all();
        answer
    });
    passed.await.unwrap_or(Err(Torn))
}

async fn ask(upstream: &str, mut head: Parts, body: Bytes) -> Result<Answer, Torn> {
    let stream = TcpStream::connect(upstream).await.map_err(|_| Torn)?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| Torn)?;
    tokio::spawn(connection);
    for name in [CONNECTION, EXPECT, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    if !body.is_empty() {
        head.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let request = Request::from_parts(head, Full::new(body));
    let (mut head, body) = sender.send_request(request).await.map_err(|_| Torn)?.into_parts();
    let body = body.collect().await.map_err(|_| Torn)?.to_bytes();
    for name in [CONNECTION, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    Ok(Answer { head: Arc::new(head), body })
}

/// The answer with another status for every stack in it.
fn with_status(body: &Bytes, status: &str) -> Bytes {
    let text = String::from_utf8_lossy(body);
    let mut parts = text.split("<StackStatus>");
    let mut fresh = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('<').unwrap_or_default();
        fresh = format!("{fresh}<StackStatus>{status}<{rest}");
    }
    Bytes::from(fresh)
}
