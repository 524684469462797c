//! Schemas of the OpenAPI document in words, and examples that fit them.

use serde_json::{Map, Value, json};

/// One field of a body.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) form: String,
    pub(crate) required: bool,
    pub(crate) about: String,
}

/// Whether names and forms are all there is to say of these.
pub(crate) fn say_it_all(fields: &[Field]) -> bool {
    fields.iter().all(|field| field.required && field.about.is_empty())
}

/// The document, to look references up in.
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| error.to_string())
    }

    /// A call.
    pub(crate) fn operation(&self, method: &str, path: &str) -> &Value {
        &self.0["paths"][path][method.to_lowercase()]
    }

    /// What a reference means; of a choice between something and nothing, the something.
    pub(crate) fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        if let Some(path) = schema["$ref"].as_str() {
            let pointer = path.trim_start_matches('#');
            return self.0.pointer(pointer).map_or(&Value::Null, |schema| self.resolve(schema));
        }
        let choices = schema["anyOf"].as_array().or_else(|| schema["allOf"].as_array());
        match choices.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
            Some(one) => self.resolve(one),
            None => schema,
        }
    }

    /// The fields of a schema, those of inner objects with their place in front.
    pub(crate) fn fields(&self, schema: &Value) -> Vec<Field> {
        let mut fields = Vec::new();
        self.collect(schema, "", &mut fields);
        fields
    }

    fn collect(&self, schema: &Value, above: &str, into: &mut Vec<Field>) {
        let schema = self.resolve(schema);
        let required = |name: &str| {
            schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
        };
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let resolved = self.resolve(inner);
            let place = format!("{above}{name}");
            let about = inner["description"].as_str().or(resolved["description"].as_str());
            into.push(Field {
                name: place.clone(),
                form: self.form(inner),
                required: required(name),
                about: about.unwrap_or_default().replace('\n', " "),
            });
            let items = self.resolve(&resolved["items"]);
            // A level or two is enough to read; the document has the rest.
            if above.matches('.').count() < 2 {
                if resolved["properties"].is_object() {
                    self.collect(resolved, &format!("{place}."), into);
                } else if items["properties"].is_object() {
                    self.collect(items, &format!("{place}[]."), into);
                }
            }
        }
    }

    /// What a value looks like.
    fn form(&self, schema: &Value) -> String {
        let inner = self.resolve(schema);
        let nothing = schema["anyOf"].is_array()
            || inner["type"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == "null"));
        let mut form = self.form_of(inner);
        if nothing {
            form.push_str(", or `null`");
        }
        if let Some(default) = inner.get("default").filter(|value| !is_empty(value)) {
            form.extend(["; default `", &default.to_string(), "`"]);
        }
        form
    }

    fn form_of(&self, schema: &Value) -> String {
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<String> = words
                .iter()
                .filter(|word| !word.is_null())
                .map(|word| format!("`{}`", word.as_str().unwrap_or_default()))
                .collect();
            return words.join(", ");
        }
        let kind = schema["type"].as_str().or_else(|| {
            schema["type"].as_array()?.iter().find_map(|k| k.as_str().filter(|k| *k != "null"))
        });
        match kind {
            Some("string") => text_form(schema),
            Some("integer" | "number") => match (&schema["minimum"], &schema["maximum"]) {
                (Value::Number(low), Value::Number(high)) => format!("number, {low} to {high}"),
                _ => "number".into(),
            },
            Some("boolean") => "`true` or `false`".into(),
            Some("array") => {
                let items = self.resolve(&schema["items"]);
                if items["properties"].is_object() {
                    "list".into()
                } else {
                    format!("list of: {}", self.form(items))
                }
            }
            _ => "object".into(),
        }
    }

    /// A value that fits.
    pub(crate) fn example(&self, schema: &Value, name: &str) -> Value {
        let schema = self.resolve(schema);
        if let Some(fields) = schema["properties"].as_object() {
            let mut all = Map::new();
            for (name, inner) in fields {
                all.insert(name.clone(), self.example(inner, name));
            }
            return Value::Object(all);
        }
        if schema["items"].is_object() {
            return json!([self.example(&schema["items"], name)]);
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.first().cloned().unwrap_or(Value::Null);
        }
        let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
        match kind {
            Some("integer" | "number") => json!(number(name)),
            Some("boolean") => json!(true),
            Some("string") => json!(text(schema, name)),
            _ => json!({}),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value == ""
}

fn text_form(schema: &Value) -> String {
    match (schema["format"].as_str(), schema["pattern"].as_str()) {
        (Some("date-time"), _) => return "moment (RFC 3339)".into(),
        (Some("email"), _) => return "e-mail address, at most 254 characters".into(),
        (_, Some(pattern)) => return format!("text like `{}`", sample(pattern)),
        _ => {}
    }
    match (&schema["minLength"], &schema["maxLength"]) {
        (Value::Number(low), Value::Number(high)) => format!("text, {low} to {high} characters"),
        (_, Value::Number(high)) => format!("text, at most {high} characters"),
        _ => "text".into(),
    }
}

/// Something that a pattern of the document fits.
fn sample(pattern: &str) -> &'static str {
    const KNOWN: [(&str, &str); 12] = [
        ("^sd_bk_", "sd_bk_..."),
        ("^dkl_", "dkl_01KAVQ7M3Z5E8R1T4Y6W9XCBNP"),
        ("^crt_", "crt_01KAVQ8H2D4F6G8J0K2M4N6P8R"),
        ("^pck_", "pck_01KAVQ9W7S5R3Q1P9N7M5K3J1H"),
        ("^evt_", "evt_01KAVQAB2C3D4E5F6G7H8J9K0M"),
        ("^req_", "req_01KAVQBX8V6T4R2P0N8M6K4J2H"),
        ("^[0-9]{6}$", "123456"),
        ("^[0-9a-f]{64}$", "9f86d081884c7d65..."),
        ("^[a-z][a-z0-9_]*", "data.read"),
        ("^[!-~]", "invoice-4711-read"),
        ("^[0-9A-Za-z_-]{40}$", "NDAxS0FWUTlXN1M1UjNRMVA5TjdNNUszSjFIAAAA"),
        ("^[A-Za-z0-9_-]+\\.", "eyJhbGciOiJFZERTQSJ9..."),
    ];
    let known = KNOWN.iter().find(|(start, _)| pattern.starts_with(start));
    known.map_or("...", |(_, sample)| sample)
}

fn text(schema: &Value, name: &str) -> String {
    if schema["format"] == "date-time" {
        return "2026-11-24T21:23:06.164Z".into();
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        return sample(pattern).into();
    }
    let known = match name {
        "email" => "agent@example.com",
        "password" => "correct horse battery staple",
        "display_name" => "Invoice Reader",
        "captcha_token" => "YOUR_TURNSTILE_TOKEN",
        "message" => "Hello from my agent",
        "statement" => "We run the invoice service of example.com",
        "note" => "Known since 2025",
        "certificate" => "eyJhbGciOiJFZERTQSIsImtpZCI6Ii4uLiJ9...",
        "access_token" | "refresh_token" => "eyJ...",
        "beak_key" => "sd_bk_...",
        "token_type" => "Bearer",
        "galaxy_version" => "1.1",
        "status" => "ok",
        _ => "...",
    };
    known.into()
}

fn number(name: &str) -> u32 {
    match name {
        "expires_in" => 3600,
        name if name.contains("bytes") => 4096,
        _ => 3,
    }
}
