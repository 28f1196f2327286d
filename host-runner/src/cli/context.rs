//! What every command starts from: the global flags, the output, the data directory, the component.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::zeroize::Zeroizing;
use serde_json::Value;

use super::args::{GlobalArgs, InputFile, PaceArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use crate::component::{Source, Standing, Trust, TrustedKey};
use crate::connection::Desk;
use crate::domain::{Clock, SystemClock, Timestamp};
use crate::engine::{Compiler, Limits, Plugin, Runtime, RuntimeOptions};
use crate::secrets::{SecretSet, SecretSource};
use crate::store::sqlite::Stores;

/// The largest configuration that is read.
const LARGEST_CONFIG: u64 = 1 << 20;

/// Where compiled components are kept in the data directory.
const COMPILED: &str = "components";

/// The keys that are trusted by whoever keeps the data directory.
const TRUSTED_KEYS: &str = "trusted-keys";

/// What every command starts from.
#[derive(Clone)]
pub struct Context {
    /// The global flags.
    pub global: GlobalArgs,
    /// Where words go.
    pub output: Arc<Output>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// The data directory whose list of keys is trusted, where it is not the one in use.
    pub trusted_in: Option<PathBuf>,
}

impl Context {
    /// The data directory: as given, else the user's.
    ///
    /// # Errors
    /// Where there is no home directory to put it in.
    pub fn data(&self) -> Result<PathBuf, Failure> {
        if let Some(data) = &self.global.data {
            return Ok(data.clone());
        }
        directories::ProjectDirs::from("", "", "host-runner")
            .map(|folders| folders.data_dir().to_owned())
            .ok_or_else(|| {
                Failure::new(Exit::Store, "there is no home directory to keep data in")
                    .remedy("say where with --data DIR or HOST_RUNNER_DATA")
            })
    }

    /// The tenants of the data directory.
    ///
    /// # Errors
    /// As [`Context::data`].
    pub fn stores(&self) -> Result<Stores, Failure> {
        let stores = Stores::new(self.data()?);
        self.finish_purges(&stores);
        Ok(stores)
    }

    /// Finishes erasures of tenants that were begun and killed, before anything else is done.
    fn finish_purges(&self, stores: &Stores) {
        match stores.finish_purges() {
            Ok(finished) => {
                for tenant in finished {
                    self.output.note(format!(
                        "all of tenant {tenant} is erased now: a purge of it had been interrupted"
                    ));
                }
            }
            Err(error) => self.output.note(format!(
                "a purge that was interrupted can't be finished yet: {error}"
            )),
        }
    }

    /// Which component `--plugin` says.
    pub fn source(&self) -> Source {
        self.global
            .plugin
            .clone()
            .map_or(Source::Bundled, Source::File)
    }

    /// Which keys are trusted, and what must be signed.
    ///
    /// # Errors
    /// Where a key can't be read.
    pub fn trust(&self) -> Result<Trust, Failure> {
        let mut keys = Vec::new();
        for argument in &self.global.trusted_keys {
            keys.extend(TrustedKey::from_argument(argument)?);
        }
        let data = self.trusted_in.clone().or_else(|| self.data().ok());
        if let Some(data) = data {
            keys.extend(TrustedKey::from_list(&data.join(TRUSTED_KEYS))?);
        }
        Ok(Trust {
            required: self.global.require_signature,
            keys,
            signature: self.global.signature.clone(),
        })
    }

    /// The same with another data directory. Whom the user trusts stays as it was.
    #[must_use]
    pub fn with_data(&self, data: Option<PathBuf>) -> Self {
        let mut other = self.clone();
        other.trusted_in = self.trusted_in.clone().or_else(|| self.data().ok());
        other.global.data = data;
        other
    }

    /// Loads the component, and keeps it compiled in the data directory.
    ///
    /// # Errors
    /// Where it can't be used, or the data directory can't.
    pub async fn plugin(&self, pace: &PaceArgs) -> Result<Arc<Plugin>, Failure> {
        let cache = Some(self.data()?.join(COMPILED));
        self.load(pace.limits(), cache, &self.source(), self.trust()?)
            .await
    }

    /// Loads the component for a command that needs no data: where the data directory can't be used, nothing is kept in it.
    ///
    /// # Errors
    /// Where the component can't be used.
    pub async fn plugin_alone(&self, pace: &PaceArgs) -> Result<Arc<Plugin>, Failure> {
        self.alone(pace, &self.source(), self.trust()?).await
    }

    /// The same, within limits of its own.
    ///
    /// # Errors
    /// Where the component can't be used.
    pub async fn plugin_within(&self, limits: Limits) -> Result<Arc<Plugin>, Failure> {
        self.alone_within(limits, &self.source(), self.trust()?)
            .await
    }

    /// The same for any component, with a trust of its own.
    ///
    /// # Errors
    /// Where the component can't be used.
    pub async fn alone(
        &self,
        pace: &PaceArgs,
        source: &Source,
        trust: Trust,
    ) -> Result<Arc<Plugin>, Failure> {
        self.alone_within(pace.limits(), source, trust).await
    }

    async fn alone_within(
        &self,
        limits: Limits,
        source: &Source,
        trust: Trust,
    ) -> Result<Arc<Plugin>, Failure> {
        let kept = match self.data() {
            Ok(data) => {
                let cache = Some(data.join(COMPILED));
                self.load(limits.clone(), cache, source, trust.clone())
                    .await
            }
            Err(failure) => Err(failure),
        };
        match kept {
            Err(failure) if failure.exit == Exit::Store => {
                tracing::info!("the compiled component is not kept: {failure}");
                self.load(limits, None, source, trust).await
            }
            loaded => loaded,
        }
    }

    async fn load(
        &self,
        limits: Limits,
        cache: Option<PathBuf>,
        source: &Source,
        trust: Trust,
    ) -> Result<Arc<Plugin>, Failure> {
        let runtime = Runtime::new(RuntimeOptions {
            cache,
            compiler: self.compiler.clone(),
            limits,
            trust,
            ..RuntimeOptions::default()
        })?;
        let plugin = runtime.load(source).await?;
        if let Standing::Doubtful(error) = plugin.standing() {
            tracing::warn!("the signature of {} does not count: {error}", plugin.name());
        }
        Ok(plugin)
    }

    /// The services on connections, with the component loaded.
    ///
    /// # Errors
    /// Where the component or the data directory can't be used.
    pub async fn desk(&self, pace: &PaceArgs) -> Result<Desk, Failure> {
        let plugin = self.plugin(pace).await?;
        let desk = Desk::new(plugin, &self.data()?);
        self.finish_purges(&desk.stores);
        Ok(desk)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// How many rows to list: as asked for, else 20 for people and all for programs.
    pub fn limit(&self, asked: Option<u64>) -> Option<u64> {
        asked.or_else(|| (!self.output.json()).then_some(20))
    }
}

/// Reads a configuration.
///
/// # Errors
/// Where it can't be read or is no JSON.
pub fn read_config(file: &InputFile) -> Result<Value, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            Exit::Input,
            format!("the configuration ({file}) can't be read: {error}"),
        )
        .remedy("check the path given with --config; `-` reads standard input")
    };
    // A key may stand in it.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 << 10));
    match file {
        InputFile::Standard => std::io::stdin()
            .lock()
            .take(LARGEST_CONFIG + 1)
            .read_to_end(&mut bytes),
        InputFile::Path(path) => std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST_CONFIG + 1).read_to_end(&mut bytes)),
    }
    .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_CONFIG {
        return Err(Failure::new(
            Exit::Input,
            format!("the configuration ({file}) is larger than 1 MiB, so it can't be one"),
        ));
    }
    // The text itself may hold a key: only the place is told.
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(
            Exit::Input,
            format!(
                "the configuration ({file}) isn't JSON: {} at line {}, column {}",
                category(&error),
                error.line(),
                error.column()
            ),
        )
        .remedy("it must be one JSON object, such as {\"baseUrl\": \"...\", \"apiKeyId\": \"...\"}")
    })
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        _ => "there is something unexpected",
    }
}

/// Reads the secrets of `--secret`. `config` is where the configuration is read: both can't come from standard input.
///
/// # Errors
/// Where one is no source, is given twice, or can't be read.
pub fn read_secrets(
    arguments: &[String],
    config: Option<&InputFile>,
) -> Result<SecretSet, Failure> {
    let mut secrets = SecretSet::default();
    let mut input_taken = config == Some(&InputFile::Standard);
    for argument in arguments {
        let (name, source) = SecretSource::parse(argument)
            .map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        if secrets.get(&name).is_some() {
            return Err(
                Failure::new(Exit::Usage, format!("--secret {name} is given twice"))
                    .remedy("give it once"),
            );
        }
        if source == SecretSource::Stdin && std::mem::replace(&mut input_taken, true) {
            return Err(
                Failure::new(Exit::Usage, "standard input can be read only once, and two arguments are `-`")
                    .remedy("read the secret from a variable or a file: --secret NAME=env:VARIABLE, --secret NAME=file:PATH"),
            );
        }
        let secret = source
            .read(&name)
            .map_err(|error| Failure::new(Exit::Input, error.to_string()))?;
        secrets.insert(name, secret);
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_configuration_that_is_no_json_is_refused_with_the_place_and_without_its_text() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{{\"apiKey\": test-key").unwrap();
        let failure = read_config(&InputFile::Path(file.path().to_owned())).unwrap_err();
        assert_eq!(failure.exit, Exit::Input);
        assert!(failure.message.contains("line 1"), "{failure}");
        assert!(!failure.message.contains("test-key"), "{failure}");
    }

    #[test]
    fn standard_input_is_read_only_once() {
        let failure =
            read_secrets(&["apiKey=-".to_owned()], Some(&InputFile::Standard)).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        let twice = ["a=env:PATH".to_owned(), "a=env:PATH".to_owned()];
        assert_eq!(read_secrets(&twice, None).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
        let failure = read_secrets(&["apiKey=test-key".to_owned()], None).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(!failure.to_text().contains("test-key"));
    }
}
