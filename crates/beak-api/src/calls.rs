//! The table of calls: who may make each, from which tier, how often. The router is made of it, and
//! so are the gateway's throttles, the OpenAPI document and the reference.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use beak_core::Galaxy;
use beak_core::access::Who;
use beak_core::tier::Tier;

use crate::call::{Call, Row, call};
use crate::handlers::{
    certificates, factor, galaxy, hatch, newsletter, operators, others, pecks, people,
};
use crate::wire;

/// The rows, in the order of the reference.
#[must_use]
pub fn table() -> Vec<Row> {
    all().into_iter().map(|call| call.row).collect()
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;

pub(crate) fn all() -> Vec<Call> {
    let mut calls = Vec::from(hatching());
    calls.extend(signing_in());
    calls.extend(second_factor());
    calls.extend(own_account());
    calls.extend(pecking());
    calls.extend(certifying());
    calls.extend(looking());
    calls.extend(operating());
    calls.extend(reading());
    calls
}

fn hatching() -> [Call; 3] {
    [
        call(&POST, "/hatch", hatch::hatch)
            .does("Sends a code to a new address; the same answer for every address")
            .per_address("hatch", 10)
            .throttled(5, 10)
            .at_a_fixed_time()
            .also_for_people()
            .takes::<wire::Hatch>()
            .gives::<wire::Hatched>(200)
            .gives::<wire::EggLaid>(202)
            .fails(&["captcha_failed", "weak_password", "already_exists"]),
        call(&POST, "/verify", hatch::verify)
            .does("Exchanges a code for a duckling, its Beak Key and its birth certificate")
            .per_address("verify", 10)
            .throttled(50, 100)
            .takes::<wire::Verify>()
            .gives::<wire::Hatched>(200)
            .fails(&["otp_mismatch", "otp_expired", "weak_password", "already_exists"]),
        call(&POST, "/resend", hatch::resend)
            .does(
                "Sends another code, at most one a minute and four an hour; the same answer for \
                 every address",
            )
            .per_address("resend", 10)
            .throttled(5, 10)
            .at_a_fixed_time()
            .takes::<wire::Resend>()
            .gives::<wire::Mailed>(202)
            .fails(&["captcha_failed"]),
    ]
}

fn signing_in() -> [Call; 5] {
    [
        call(&POST, "/signin", people::sign_in)
            .does("Exchanges a password for tokens, or for a challenge of the second factor")
            .per_address("signin", 10)
            .throttled(50, 100)
            .takes::<wire::SignIn>()
            .gives::<wire::SignedIn>(200)
            .fails(&["unauthorized", "forbidden"]),
        call(&POST, "/refresh", people::refresh)
            .does("Exchanges a refresh token for a new access token")
            .per_address("refresh", 60)
            .takes::<wire::Refresh>()
            .gives::<wire::Tokens>(200)
            .fails(&["unauthorized"]),
        call(&POST, "/signout", people::sign_out)
            .does("Ends all tokens of the person")
            .only(Who::Person)
            .gives::<wire::Status>(200)
            .fails(&["invalid_request", "too_large"]),
        call(&POST, "/forgot", people::forgot)
            .does(
                "Sends a code for a new password, at most one a minute and four an hour; the same \
                 answer for every address",
            )
            .per_address("forgot", 10)
            .throttled(5, 10)
            .at_a_fixed_time()
            .takes::<wire::Guarded>()
            .gives::<wire::Mailed>(202)
            .fails(&["captcha_failed"]),
        call(&POST, "/reset", people::reset)
            .does("Takes a new password for a code, and ends all tokens")
            .per_address("reset", 10)
            .throttled(50, 100)
            .takes::<wire::Reset>()
            .gives::<wire::Status>(200)
            .fails(&["otp_mismatch", "otp_expired", "weak_password"]),
    ]
}

fn second_factor() -> [Call; 5] {
    [
        call(&POST, "/signin/totp", factor::sign_in)
            .does("Exchanges a challenge and a code of the second factor for tokens")
            .per_address("signin totp", 10)
            .takes::<wire::SecondStep>()
            .gives::<wire::Tokens>(200)
            .fails(&["otp_mismatch", "unauthorized"]),
        call(&GET, "/me/totp", factor::look)
            .does("Says whether signing in takes a second factor")
            .only(Who::Person)
            .gives::<wire::Factor>(200),
        call(&POST, "/me/totp", factor::begin)
            .does("Begins to enrol a second factor")
            .only(Who::Person)
            .takes::<wire::Enrol>()
            .gives::<wire::FactorBegun>(200)
            .fails(&["already_exists"]),
        call(&POST, "/me/totp/confirm", factor::confirm)
            .does("Enrols the second factor by its first code, and ends all tokens")
            .only(Who::Person)
            .takes::<wire::FactorConfirm>()
            .gives::<wire::RecoveryCodes>(200)
            .fails(&["otp_mismatch", "already_exists", "conflict"]),
        call(&Method::DELETE, "/me/totp", factor::remove)
            .does("Removes the second factor, and ends all tokens")
            .only(Who::Person)
            .takes::<wire::FactorEnd>()
            .gives::<wire::Status>(200)
            .fails(&["otp_mismatch", "not_found"]),
    ]
}

fn own_account() -> [Call; 9] {
    [
        call(&GET, "/me", people::me)
            .does("Gives the duckling itself")
            .only(Who::KeyOrPerson)
            .gives::<wire::Me>(200),
        call(&Method::PATCH, "/me", people::rename)
            .does("Gives the duckling another name; certificates keep the one that was signed")
            .only(Who::KeyOrPerson)
            .takes::<wire::Rename>()
            .gives::<wire::Me>(200),
        call(&Method::DELETE, "/me", people::delete)
            .does("Deletes the duckling with its key, certificates and bonds, and the account")
            .only(Who::KeyOrPersonLeaving)
            .gives::<wire::Status>(200)
            .gives::<wire::Status>(202)
            .fails(&["invalid_request", "too_large"]),
        call(&GET, "/me/export", people::export)
            .does("Gives everything that the galaxy keeps of the duckling")
            .only(Who::KeyOrPerson)
            .gives::<wire::Exported>(200),
        call(&POST, "/keys/rotate", people::rotate)
            .does("Exchanges the Beak Key; the old one is dead at once")
            .only(Who::KeyOrPerson)
            .gives::<wire::Rotated>(200)
            .fails(&["invalid_request", "too_large", "conflict"]),
        call(&POST, "/pulse", people::pulse)
            .does("Says that the agent is alive")
            .only(Who::Key)
            .gives::<wire::Status>(200)
            .fails(&["invalid_request", "too_large"]),
        call(&POST, "/tier/request", people::request_tier)
            .does("Asks for tier T2")
            .only(Who::Key)
            .at_least(Tier::T1)
            .takes::<wire::TierAsked>()
            .gives::<wire::Status>(202)
            .fails(&["conflict"]),
        call(&POST, "/me/blocks", others::block)
            .does("Refuses another duckling's pecks as if there were no such target")
            .only(Who::Key)
            .takes::<wire::Block>()
            .gives::<wire::Status>(200)
            .fails(&["not_found"]),
        call(&Method::DELETE, "/me/blocks/{duckling_id}", others::unblock)
            .does("Takes another duckling's pecks again")
            .only(Who::Key)
            .asks::<wire::DuckPath>()
            .gives::<wire::Status>(200)
            .fails(&["invalid_request", "too_large", "not_found"]),
    ]
}

fn pecking() -> [Call; 7] {
    [
        call(&GET, "/ducks/{duckling_id}", others::duck)
            .does("Gives what a duckling shows to others")
            .only(Who::Key)
            .asks::<wire::DuckPath>()
            .gives::<wire::Duck>(200)
            .fails(&["not_found"]),
        call(&POST, "/peck", pecks::peck)
            .does("Asks another duckling for a bond; `data.write` and `task.delegate` need T1")
            .only(Who::Key)
            .takes::<wire::NewPeck>()
            .asks::<wire::Idempotent>()
            .gives::<wire::PeckAsked>(201)
            .fails(&["tier_too_low", "not_found", "already_exists", "conflict"]),
        call(&GET, "/pecks", pecks::list)
            .does("Lists one's own pecks, newest first")
            .only(Who::Key)
            .asks::<wire::PecksAsked>()
            .gives::<wire::Pecks>(200),
        call(&GET, "/pecks/{peck_id}", pecks::one)
            .does("Gives a peck to one of its two parties")
            .only(Who::Key)
            .asks::<wire::PeckPath>()
            .gives::<wire::PeckSeen>(200)
            .fails(&["not_found"]),
        call(&POST, "/approve", pecks::approve)
            .does("Says yes to a peck; the first bond lifts both sides to T1")
            .only(Who::Key)
            .takes::<wire::PeckNamed>()
            .gives::<wire::PeckApproved>(200)
            .fails(&["not_found", "conflict"]),
        call(&POST, "/deny", pecks::deny)
            .does("Says no to a peck")
            .only(Who::Key)
            .takes::<wire::PeckNamed>()
            .gives::<wire::Status>(200)
            .fails(&["not_found", "conflict"]),
        call(&POST, "/unpeck", pecks::unpeck)
            .does("Ends a bond from either side, or withdraws one's own peck")
            .only(Who::Key)
            .takes::<wire::PeckNamed>()
            .gives::<wire::Status>(200)
            .fails(&["not_found", "conflict"]),
    ]
}

fn certifying() -> [Call; 4] {
    [
        call(&GET, "/certificate", certificates::own)
            .does("Gives one's own birth certificate")
            .only(Who::Key)
            .gives::<wire::CertificateSeen>(200),
        call(&GET, "/certificates/{cert_id}", certificates::one)
            .does("Gives a certificate's public side")
            .per_address("certificates", 60)
            .asks::<wire::CertificatePath>()
            .gives::<wire::CertificateSeen>(200)
            .fails(&["not_found"]),
        call(&POST, "/certificates/verify", certificates::verify)
            .does("Says what a certificate is worth now")
            .per_address("certificates", 60)
            .takes::<wire::Judge>()
            .gives::<wire::Judged>(200),
        call(&GET, "/jwks.json", certificates::keys)
            .does("Gives the public keys that check certificates offline")
            .gives::<wire::Jwks>(200),
    ]
}

fn looking() -> [Call; 4] {
    [
        call(&GET, "/metrics", galaxy::metrics)
            .does("Counts ducklings, certificates, bonds, eggs and pecks")
            .per_address("metrics", 120)
            .throttled(50, 100)
            .gives::<wire::Metrics>(200),
        call(&GET, "/system/status", galaxy::status)
            .does("Says whether all is well; operators see mail, fleet and tables too")
            .only(Who::AnyoneMoreForOperators)
            .per_address("status", 120)
            .gives::<wire::SystemStatus>(200),
        call(&GET, "/audit", galaxy::audit)
            .does("Lists what has happened within 90 days, newest first")
            .only(Who::KeyOrOperator)
            .asks::<wire::PageAsked>()
            .gives::<wire::Events>(200),
        call(&GET, "/openapi.json", galaxy::openapi)
            .does("Gives the OpenAPI document of this API")
            .gives::<wire::Document>(200),
    ]
}

fn operating() -> [Call; 6] {
    [
        call(&GET, "/spaceducks", operators::spaceducks)
            .does("Lists all ducklings")
            .only(Who::Operator)
            .asks::<wire::PageAsked>()
            .gives::<wire::SpaceDucks>(200),
        call(&POST, "/operator/decide", operators::decide)
            .does("Grants or refuses tier T2")
            .only(Who::Operator)
            .takes::<wire::Decide>()
            .gives::<wire::Decided>(200)
            .fails(&["not_found", "conflict"]),
        call(&GET, "/operator/tier-requests", operators::tier_requests)
            .does("Lists the open requests for tier T2, the oldest first")
            .only(Who::Operator)
            .asks::<wire::PageAsked>()
            .gives::<wire::TierRequests>(200),
        about(operators::suspend, "/operator/ducks/{duckling_id}/suspend")
            .does("Refuses a duckling's key and certificate until it is restored"),
        about(operators::restore, "/operator/ducks/{duckling_id}/restore")
            .does("Takes a suspended duckling's key and certificate again"),
        about(operators::remove, "/operator/ducks/{duckling_id}/remove")
            .does("Deletes a duckling with its certificates and bonds, and its owner's account")
            .gives::<wire::Status>(202)
            .fails(&["not_found", "conflict"]),
    ]
}

/// What an operator does about one duckling, with a reason.
fn about<H, T>(handler: H, route: &'static str) -> Call
where
    H: Handler<T, Arc<Galaxy>>,
    T: 'static,
{
    call(&POST, route, handler)
        .only(Who::Operator)
        .asks::<wire::DuckPath>()
        .takes::<wire::Because>()
        .gives::<wire::Status>(200)
        .fails(&["not_found"])
}

fn reading() -> [Call; 5] {
    [
        call(&POST, "/newsletter", newsletter::offer)
            .does("Offers the newsletter by mail; the same answer for every address")
            .per_address("newsletter", 5)
            .throttled(5, 10)
            .takes::<wire::Guarded>()
            .gives::<wire::Mailed>(202)
            .fails(&["captcha_failed"]),
        call(&GET, "/newsletter/confirm", newsletter::ask_to_confirm)
            .does("Shows the page of a mail's confirmation link; a visit alone changes nothing")
            .per_address("newsletter links", 60)
            .asks::<wire::TokenAsked>()
            .gives_page(),
        call(&POST, "/newsletter/confirm", newsletter::confirm)
            .does("Takes the newsletter")
            .per_address("newsletter links", 60)
            .asks::<wire::TokenAsked>()
            .gives::<wire::Status>(200)
            .gives_page()
            .fails(&["not_found"]),
        call(&GET, "/newsletter/unsubscribe", newsletter::ask_to_end)
            .does("Shows the page of a mail's unsubscribe link; a visit alone changes nothing")
            .per_address("newsletter links", 60)
            .asks::<wire::TokenAsked>()
            .gives_page(),
        call(&POST, "/newsletter/unsubscribe", newsletter::end)
            .does("Ends the newsletter, in one click (RFC 8058)")
            .per_address("newsletter links", 60)
            .asks::<wire::TokenAsked>()
            .gives::<wire::Status>(200)
            .gives_page()
            .fails(&["not_found"]),
    ]
}
