//! Events of `spaceduck skill`: mistakes with their positions, the skill itself, its publisher.

use serde::Serialize;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkillTold {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The tier that a duckling needs for all of it.
    pub tier: String,
    /// What an agent can do with it.
    pub capabilities: Vec<String>,
    /// What it needs of the machine and the duckling.
    pub permissions: Vec<String>,
    /// How many files it has.
    pub files: usize,
    /// How long they are together.
    pub bytes: u64,
    /// The digest of its pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The file that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Who has signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Publisher>,
}

/// Who has signed a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Publisher {
    /// The duckling.
    pub duckling_id: String,
    /// Its name, which anyone could have chosen.
    pub name: String,
    /// The galaxy: the address of its API.
    pub galaxy: String,
    /// The certificate.
    pub cert_id: String,
    /// `valid`, or `unchecked` if the galaxy was not asked whether it still holds.
    pub certificate: String,
    /// The tier that the certificate says.
    pub tier: String,
    /// The mark of the key.
    pub key: String,
    /// Whether the certificate names the key; if not, only the caller's word binds them.
    pub named: bool,
}

impl std::fmt::Display for SkillTold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, version, files, bytes, .. } = self;
        write!(f, "skill         {name} {version}: {files} files, {bytes} bytes")?;
        write!(f, "\ncapabilities  {}", self.capabilities.join(" "))?;
        write!(f, "\npermissions   {}", self.permissions.join(" "))?;
        write!(f, "\ntier          {}", self.tier)?;
        if let Some(sha256) = &self.sha256 {
            write!(f, "\nsha256        {sha256}")?;
        }
        if let Some(by) = &self.publisher {
            write!(f, "\npublisher     {} \"{}\"", by.duckling_id, by.name)?;
            write!(f, "\ngalaxy        {}", by.galaxy)?;
            write!(f, "\ncertificate   {} {}, {}", by.cert_id, by.tier, by.certificate)?;
            write!(f, "\nkey           {}", by.key)?;
            let bound = if by.named { "its certificate" } else { "nothing" };
            write!(f, "\nkey named by  {bound}")?;
        }
        if let Some(file) = &self.file {
            write!(f, "\nfile          {file}")?;
        }
        Ok(())
    }
}
