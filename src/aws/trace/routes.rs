//! Which operation an address means, for the services whose requests do not name it.
//!
//! `routes.txt` is made from the service models that AWS publishes; a test holds it to them.
//! By hand, because the SDK keeps the name from the HTTP client, and an interceptor, which has it,
//! would have to be given to each client one by one.

/// One operation a line: service, method, address, name.
const ROUTES: &str = include_str!("routes.txt");

/// The operation's name; the method where none has such an address.
pub(super) fn operation(service: &str, method: &str, uri: &str) -> String {
    let (host, target) = address(uri);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked: Vec<(&str, &str)> =
        query.split('&').filter(|one| !one.is_empty()).map(pair).collect();
    if let Some((_, name)) = asked.iter().find(|(key, _)| *key == "x-id") {
        return (*name).to_owned();
    }
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // S3 has the bucket in the host's name, and the models have it in the path.
    if service == "s3" && [".s3.", ".s3-"].iter().any(|mark| host.contains(mark)) {
        parts.insert(0, "bucket");
    }
    let mut best: Option<((usize, usize), &str)> = None;
    for route in ROUTES.lines().filter_map(Route::parse) {
        if route.service != service || route.method != method {
            continue;
        }
        if let Some(score) = route.score(&parts, &asked)
            && best.is_none_or(|(before, _)| score > before)
        {
            best = Some((score, route.name));
        }
    }
    best.map_or(method, |(_, name)| name).to_owned()
}

/// Host, and what comes behind it.
fn address(uri: &str) -> (&str, &str) {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at))
}

fn pair(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap_or((text, ""))
}

struct Route {
    service: &'static str,
    method: &'static str,
    uri: &'static str,
    name: &'static str,
}

impl Route {
    fn parse(line: &'static str) -> Option<Self> {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [service, method, uri, name] => Some(Self { service, method, uri, name }),
            _ => None,
        }
    }

    /// How closely an address fits: flags in the query first, then words of the path.
    fn score(&self, parts: &[&str], asked: &[(&str, &str)]) -> Option<(usize, usize)> {
        let (path, query) = self.uri.split_once('?').unwrap_or((self.uri, ""));
        let flags: Vec<_> = query.split('&').filter(|one| !one.is_empty()).map(pair).collect();
        let has = |(key, value): &(&str, &str)| {
            asked.iter().any(|(name, said)| name == key && (value.is_empty() || value == said))
        };
        if !flags.iter().all(has) {
            return None;
        }
        let wanted: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let open = wanted.last().is_some_and(|last| last.ends_with("+}"));
        let fits = if open { parts.len() >= wanted.len() } else { parts.len() == wanted.len() };
        let same = |(want, part): (&&str, &&str)| want.starts_with('{') || want == part;
        if !fits || !wanted.iter().zip(parts).all(same) {
            return None;
        }
        Some((flags.len(), wanted.iter().filter(|want| !want.starts_with('{')).count()))
    }
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn addresses_are_told_apart() {
        let regional = "https://pond.s3.eu-central-1.amazonaws.com";
        for (service, method, uri, name) in [
            ("s3", "HEAD", format!("{regional}/"), "HeadBucket"),
            ("s3", "HEAD", format!("{regional}/a/b.html"), "HeadObject"),
            ("s3", "HEAD", "http://127.0.0.1:5000/pond/a/b.html".into(), "HeadObject"),
            ("s3", "GET", format!("{regional}/?list-type=2&prefix=a"), "ListObjectsV2"),
            ("s3", "GET", format!("{regional}/a?x-id=GetObject"), "GetObject"),
            ("s3", "POST", format!("{regional}/?delete"), "DeleteObjects"),
            ("s3", "GET", format!("{regional}/?versions"), "ListObjectVersions"),
            (
                "route53",
                "GET",
                "https://route53.amazonaws.com/2013-04-01/hostedzone".into(),
                "ListHostedZones",
            ),
            (
                "lambda",
                "POST",
                "https://x/2015-03-31/functions/pond/invocations?Qualifier=2".into(),
                "Invoke",
            ),
            ("ses", "GET", "https://x/v2/email/account".into(), "GetAccount"),
            (
                "cloudfront",
                "GET",
                "https://x/2020-05-31/distribution/E1/config".into(),
                "GetDistributionConfig",
            ),
            ("cloudfront", "PATCH", "https://x/never".into(), "PATCH"),
        ] {
            assert_eq!(operation(service, method, &uri), name, "{uri}");
        }
    }
}
