//! Calls to IAM: lists to their last page, roles, and the simulator.

use aws_wire::{Call, Client, Element, Refused};

/// A list of IAM's, to its last page.
pub(super) async fn all(
    client: &Client,
    asked: &Call,
    list: &str,
) -> Result<Vec<Element>, Refused> {
    let (mut found, mut marker) = (Vec::new(), None::<String>);
    loop {
        let page = client.read(asked.clone().maybe("Marker", marker.as_deref())).await?;
        found.extend(page.each(list).cloned());
        let more = page.text("IsTruncated") == Some("true");
        marker = page.text("Marker").filter(|_| more).map(str::to_owned);
        if marker.is_none() {
            return Ok(found);
        }
    }
}

/// A role by its name.
pub(super) async fn role(client: &Client, name: &str) -> Result<Element, Refused> {
    let answer = client.read(Call::form("GetRole").with("RoleName", name)).await?;
    Ok(answer.at("Role").cloned().unwrap_or_default())
}

/// What the simulator says of each action on each resource.
pub(super) async fn simulate(
    client: &Client,
    source: &str,
    asked: (&[impl AsRef<str>], &[String]),
    context: &[(&str, &[String])],
) -> Result<Vec<Element>, Refused> {
    let mut call = Call::form("SimulatePrincipalPolicy")
        .with("PolicySourceArn", source)
        .list("ActionNames", asked.0)
        .list("ResourceArns", asked.1);
    for ((key, values), number) in context.iter().zip(1..) {
        let entry = format!("ContextEntries.member.{number}");
        let kind = if values.len() == 1 { "string" } else { "stringList" };
        call = call
            .with(format!("{entry}.ContextKeyName"), *key)
            .list(&format!("{entry}.ContextKeyValues"), values)
            .with(format!("{entry}.ContextKeyType"), kind);
    }
    all(client, &call, "EvaluationResults").await
}
