//! A whole galaxy in one process, kept in one folder.

/// x
pub const DEFAULT_PORT: u16 = 3825;
/// x
pub const DEFAULT_DATA: &str = "galaxy-data";
/// x
pub struct Options { 
/// x
    pub port: u16, 
/// x
    pub data: std::path::PathBuf }
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct LocalError;
impl LocalError { 
/// x
    #[must_use] pub fn help(&self) -> String { String::new() } }
/// x
pub async fn serve(_: Options) -> Result<(), LocalError> { Err(LocalError) }
