//! `adminPw` as Contrabass holds it, made by the real `openssl enc`.

use std::process::Command;

use crate::Failure;

/// The passphrase of every envelope here; no output may ever contain it.
pub const PASSPHRASE: &str = "e2e-envelope-passphrase";

/// Seals a password with `openssl enc -aes-128-cbc`: `Salted__`, salt, ciphertext, in Base64.
pub fn seal(password: &str) -> Result<String, Failure> {
    let command = r#"printf %s "$PLAIN" | openssl enc -aes-128-cbc -md sha256 -salt -base64 -A -pass env:KEY"#;
    let output = Command::new("sh")
        .args(["-c", command])
        .env("PLAIN", password)
        .env("KEY", PASSPHRASE)
        .output()?;
    if !output.status.success() {
        return Err(format!("openssl enc: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
