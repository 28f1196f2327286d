//! Reading `--ca-file` and `--proxy`.

use std::io::Read;
use std::path::Path;

use super::args::{InputFile, SettingsArgs};
use super::exit::Exit;
use super::failure::Failure;
use crate::connection::{Change, WayOutChange};
use crate::domain::Timestamp;
use crate::egress::authority::LARGEST_FILE;
use crate::egress::{Authority, ProxyConfig};
use crate::secrets::{Secret, SecretSource};

/// The word that takes a setting away. A file of that name is `./none`.
const NONE: &str = "none";

/// What `--ca-file` and `--proxy` ask for. `config` is where the configuration is read: not all can come from standard input.
///
/// # Errors
/// Where the file can't serve, or the proxy's address can't be used or read.
pub fn read(
    settings: &SettingsArgs,
    config: Option<&InputFile>,
    now: Timestamp,
) -> Result<WayOutChange, Failure> {
    Ok(WayOutChange {
        authorities: match settings.ca_file.as_deref() {
            None => Change::Keep,
            Some(path) if path == Path::new(NONE) => Change::Forget,
            Some(path) => Change::Set(authorities(path, now)?),
        },
        proxy: match settings.proxy.as_deref() {
            None => Change::Keep,
            Some(NONE) => Change::Forget,
            Some(text) => Change::Set(proxy(text, settings, config)?),
        },
    })
}

fn authorities(path: &Path, now: Timestamp) -> Result<Vec<Authority>, Failure> {
    let wrong = |reason: String| {
        Failure::new(
            Exit::Input,
            format!("--ca-file {} can't be used: {reason}", path.display()),
        )
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(wrong(
            "it is larger than 1 MiB; give a file with the authorities that are needed".to_owned(),
        ));
    }
    Authority::read_file(&bytes, now).map_err(|error| wrong(error.to_string()))
}

/// The proxy's address: as it stands, or from where the argument says.
fn proxy(
    text: &str,
    settings: &SettingsArgs,
    config: Option<&InputFile>,
) -> Result<ProxyConfig, Failure> {
    let is_source = text == "-" || text.starts_with("env:") || text.starts_with("file:");
    let url = if is_source {
        let taken = config == Some(&InputFile::Standard)
            || settings.secrets.iter().any(|secret| secret.ends_with("=-"));
        if text == "-" && taken {
            return Err(Failure::new(
                Exit::Usage,
                "standard input can be read only once, and two arguments are `-`",
            )
            .remedy("read the proxy's address from a variable or a file: --proxy env:VARIABLE, --proxy file:PATH"));
        }
        let (name, source) = SecretSource::parse(&format!("--proxy={text}")).map_err(|_| {
            Failure::new(
                Exit::Usage,
                "--proxy wants a URL, env:VARIABLE, file:PATH, - (standard input) or none",
            )
        })?;
        source
            .read(&name)
            .map_err(|error| Failure::new(Exit::Input, error.to_string()))?
    } else {
        Secret::new(text.to_owned())
    };
    ProxyConfig::parse(url.expose()).map_err(|error| Failure::new(Exit::Input, error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn settings(ca_file: Option<&str>, proxy: Option<&str>) -> SettingsArgs {
        SettingsArgs {
            secrets: Vec::new(),
            description: None,
            maps: Vec::new(),
            ca_file: ca_file.map(Into::into),
            proxy: proxy.map(Into::into),
            allow_loopback: false,
            skip_test: false,
            leave_out_users: None,
        }
    }

    fn read_proxy(text: &str) -> Result<ProxyConfig, Failure> {
        let change = read(&settings(None, Some(text)), None, Timestamp::EPOCH)?;
        match change.proxy {
            Change::Set(proxy) => Ok(proxy),
            Change::Keep | Change::Forget => panic!("{text} sets no proxy"),
        }
    }

    #[test]
    fn nothing_given_changes_nothing_and_none_takes_away() {
        let change = read(&settings(None, None), None, Timestamp::EPOCH).unwrap();
        assert!(change.is_none());
        let change = read(
            &settings(Some("none"), Some("none")),
            None,
            Timestamp::EPOCH,
        )
        .unwrap();
        assert!(matches!(change.authorities, Change::Forget));
        assert!(matches!(change.proxy, Change::Forget));
    }

    #[test]
    fn a_proxy_with_a_password_is_read_from_a_file_and_its_errors_do_not_tell_it() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "http://user:test-password@proxy.example.com:3128").unwrap();
        let source = format!("file:{}", file.path().display());
        let proxy = read_proxy(&source).unwrap();
        assert_eq!(proxy.to_string(), "http://proxy.example.com:3128");
        assert!(proxy.credentials().is_some());
        for wrong in [
            "ftp://user:test-password@proxy.example.com",
            "http://user:test-password@proxy.example.com/path",
            "user:test-password@proxy.example.com:3128",
            "http://us%3Aer:test-password@proxy.example.com",
        ] {
            let failure = read_proxy(wrong).unwrap_err();
            assert_eq!(failure.exit, Exit::Input);
            assert!(!failure.to_text().contains("test-password"), "{failure}");
        }
    }

    #[test]
    fn standard_input_is_read_only_once() {
        let mut both = settings(None, Some("-"));
        let failure = read(&both, Some(&InputFile::Standard), Timestamp::EPOCH).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        both.secrets.push("apiKey=-".to_owned());
        let failure = read(&both, None, Timestamp::EPOCH).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn a_file_that_is_not_there_or_too_large_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let text = path.display().to_string();
        let failed = || read(&settings(Some(&text), None), None, Timestamp::EPOCH).unwrap_err();
        assert!(failed().message.contains("ca.pem"));
        std::fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
        assert!(failed().message.contains("larger than 1 MiB"));
    }
}
