//! One question to one server: UDP first, TCP where the answer did not fit.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_net::client::Client;
use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::tcp::TcpClientStream;
use hickory_net::udp::UdpClientStream;
use hickory_net::xfer::{DnsHandle as _, FirstAnswer as _};
use hickory_proto::op::{DnsRequestOptions, Message, Query};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::{Found, Kind, Trouble};
use crate::name::Domain;

/// What is asked, and of whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    /// The server.
    pub(super) server: IpAddr,
    /// The name.
    pub(super) name: &'a Domain,
    /// The type of record.
    pub(super) kind: Kind,
    /// Whether the server is to find out what it does not know.
    pub(super) recursion: bool,
}

/// Asks.
pub(super) async fn ask(
    question: Question<'_>,
    port: u16,
    patience: Duration,
) -> Result<Message, Trouble> {
    let address = SocketAddr::new(question.server, port);
    let silent = |reason: String| Trouble::Silent { server: question.server.to_string(), reason };
    let name = Name::from_ascii(format!("{}.", question.name))
        .map_err(|error| silent(error.to_string()))?;
    let query = Query::query(name, kind(question.kind));
    let mut options = DnsRequestOptions::default();
    options.recursion_desired = question.recursion;

    let runtime = TokioRuntimeProvider::default;
    let udp = UdpClientStream::builder(address, runtime()).with_timeout(Some(patience)).build();
    let (client, background) = Client::<TokioRuntimeProvider>::from_sender(udp);
    let task = tokio::spawn(background);
    let answer = client.lookup(query.clone(), options).first_answer().await;
    task.abort();
    let answer = answer.map_err(|error| silent(error.to_string()))?;
    if !answer.metadata.truncation {
        return Ok(answer.into_message());
    }

    let (stream, handle) = TcpClientStream::new(address, None, Some(patience), runtime());
    let stream = stream.await.map_err(|error| silent(error.to_string()))?;
    let (client, background) =
        Client::<TokioRuntimeProvider>::with_timeout(stream, handle, patience);
    let task = tokio::spawn(background);
    let answer = client.lookup(query, options).first_answer().await;
    task.abort();
    Ok(answer.map_err(|error| silent(error.to_string()))?.into_message())
}

fn kind(kind: Kind) -> RecordType {
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

/// A record in our words, with its name; nothing for types that nobody asks for here.
pub(super) fn found(record: &Record) -> Option<(Domain, Found)> {
    let domain = |name: &Name| Domain::parse(&name.to_ascii()).ok();
    let found = match &record.data {
        RData::A(address) => Found::Address(IpAddr::V4(address.0)),
        RData::AAAA(address) => Found::Address(IpAddr::V6(address.0)),
        RData::CNAME(target) => Found::Cname(domain(&target.0)?),
        RData::NS(server) => Found::Ns(domain(&server.0)?),
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
    Some((domain(&record.name)?, found))
}
