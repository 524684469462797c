//! One question to one server: UDP first, TCP where the answer did not fit.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_net::NetError;
use hickory_net::client::Client;
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::tcp::TcpClientStream;
use hickory_net::udp::UdpClientStream;
use hickory_net::xfer::{DnsHandle as _, FirstAnswer as _};
use hickory_proto::op::{DnsRequestOptions, Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::{Found, Kind, Reason};
use crate::name::Domain;

/// A query, and its server.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The server.
    pub(super) server: IpAddr,
    /// The name.
    pub(super) name: Name,
    /// The type of record.
    pub(super) kind: RecordType,
    /// Whether the server is to find out what it does not know.
    pub(super) recursion: bool,
    /// Whether the answer is to carry its signatures.
    pub(super) signed: bool,
}

impl Question {
    /// A question without recursion and signatures.
    pub(super) fn new(server: IpAddr, name: &Domain, kind: Kind) -> Result<Self, Reason> {
        let name = Name::from_ascii(format!("{name}."))
            .map_err(|error| Reason::Garbled(error.to_string()))?;
        Ok(Self { server, name, kind: record_type(kind), recursion: false, signed: false })
    }
}

/// Asks. Whatever comes back is returned, error codes included.
pub(super) async fn ask(
    question: &Question,
    port: u16,
    patience: Duration,
) -> Result<Message, Reason> {
    let message = once(question, port, patience, true).await?;
    // RFC 6891, section 7: a server that does not know EDNS says FORMERR.
    if message.metadata.response_code == ResponseCode::FormErr && !question.signed {
        return once(question, port, patience, false).await;
    }
    Ok(message)
}

async fn once(
    question: &Question,
    port: u16,
    patience: Duration,
    edns: bool,
) -> Result<Message, Reason> {
    let address = SocketAddr::new(question.server, port);
    let reason = |error: &NetError| reason(error, patience);
    let query = Query::query(question.name.clone(), question.kind);
    let mut options = DnsRequestOptions::default();
    options.recursion_desired = question.recursion;
    options.use_edns = edns;
    options.edns_set_dnssec_ok = question.signed;

    let runtime = TokioRuntimeProvider::default;
    let udp = UdpClientStream::builder(address, runtime()).with_timeout(Some(patience)).build();
    let (client, background) = Client::<TokioRuntimeProvider>::from_sender(udp);
    let task = tokio::spawn(background);
    let answer = client.lookup(query.clone(), options).first_answer().await;
    task.abort();
    let answer = answer.map_err(|error| reason(&error))?;
    if !answer.metadata.truncation {
        return Ok(answer.into_message());
    }

    let cut_off = |error: &NetError| Reason::CutOff(reason(error).to_string());
    let (stream, handle) = TcpClientStream::new(address, None, Some(patience), runtime());
    let stream = stream.await.map_err(|error| cut_off(&error))?;
    let (client, background) =
        Client::<TokioRuntimeProvider>::with_timeout(stream, handle, patience);
    let task = tokio::spawn(background);
    let answer = client.lookup(query, options).first_answer().await;
    task.abort();
    let answer = answer.map_err(|error| cut_off(&error))?.into_message();
    if answer.metadata.truncation {
        return Err(Reason::CutOff("over TCP, too".into()));
    }
    Ok(answer)
}

fn reason(error: &NetError, patience: Duration) -> Reason {
    match error {
        NetError::Timeout => Reason::Timeout(patience),
        NetError::Io(error) => Reason::Unreachable(error.kind().to_string()),
        other => Reason::Garbled(other.to_string()),
    }
}

/// The name of an error code, as RFC 1035 and IANA write it.
pub(super) fn code(code: ResponseCode) -> String {
    match code {
        ResponseCode::FormErr => "FORMERR".into(),
        ResponseCode::ServFail => "SERVFAIL".into(),
        ResponseCode::NXDomain => "NXDOMAIN".into(),
        ResponseCode::NotImp => "NOTIMP".into(),
        ResponseCode::Refused => "REFUSED".into(),
        ResponseCode::NotAuth => "NOTAUTH".into(),
        other => format!("error code {}", u16::from(other)),
    }
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Caa => RecordType::CAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Mx => RecordType::MX,
        Kind::Ns => RecordType::NS,
        Kind::Txt => RecordType::TXT,
    }
}

/// A record in our words, with its name; nothing for types that are never asked for here.
pub(super) fn found(record: &Record) -> Option<(Domain, Found)> {
    let owner = Domain::parse(&record.name.to_ascii()).ok()?;
    // A value that is no domain name is a mistake worth showing, not a record to skip.
    let target = |name: &Name, is: fn(Domain) -> Found| {
        let text = name.to_ascii();
        Domain::parse(&text).map_or_else(|_| Found::Odd(text.trim_end_matches('.').into()), is)
    };
    let found = match &record.data {
        RData::A(address) => Found::Address(IpAddr::V4(address.0)),
        RData::AAAA(address) => Found::Address(IpAddr::V6(address.0)),
        RData::CNAME(name) => target(&name.0, Found::Cname),
        RData::NS(server) => Found::Ns(Domain::parse(&server.0.to_ascii()).ok()?),
        RData::MX(mx) => Found::Mx(mx.preference, mx.exchange.to_ascii().to_ascii_lowercase()),
        // RFC 7208, section 3.3, and RFC 6376, section 3.6.2.2: the strings of one record belong
        // together, without anything between them.
        RData::TXT(record) => {
            let parts = record.txt_data.iter();
            let text: Vec<u8> = parts.flat_map(|part| part.iter().copied()).collect();
            Found::Txt(String::from_utf8_lossy(&text).into_owned())
        }
        RData::CAA(caa) => Found::Caa {
            critical: caa.issuer_critical,
            tag: caa.tag.to_ascii_lowercase(),
            value: String::from_utf8_lossy(&caa.value).into_owned(),
        },
        _ => return None,
    };
    Some((owner, found))
}
