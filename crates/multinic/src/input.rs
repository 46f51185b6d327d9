//! Files and standard input, bounded, into checked configs, settings and connections.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use multinic_sync::{
    Config, Connections,
    manifest::{MAX_MANIFEST_BYTES, Manifests},
    settings::{LocalSecrets, Settings},
};

use crate::{cli::InputArgs, failure::Failure, output::say};

/// Everything a pass needs.
pub struct Input {
    pub configs: Vec<Config>,
    pub settings: Settings,
    pub connections: Connections,
}

/// Why a file is not to be had.
#[derive(Debug, thiserror::Error)]
enum InputError {
    #[error("failed to read {name}")]
    Read { name: String, source: io::Error },
    #[error("failed to read {name}: it is larger than {max} bytes")]
    TooLarge { name: String, max: usize },
    #[error("{name}")]
    Settings {
        name: String,
        source: multinic_sync::settings::SettingsError,
    },
    #[error("{name}: there is no managementApi in these settings, and sync delivers to it")]
    NoManagementApi { name: String },
}

/// Reads and checks everything before anything is sent.
pub fn load(args: &InputArgs) -> Result<Input, Failure> {
    let texts = args
        .files
        .iter()
        .map(|path| Ok((path.display().to_string(), read(path)?)))
        .collect::<Result<Vec<_>, InputError>>()
        .map_err(Failure::bad_input)?;
    let manifests = Manifests::parse(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .map_err(Failure::bad_input)?;
    for warning in &manifests.warnings {
        say(&format!("warning: {warning}"));
    }
    let settings = settings(&args.config)?;
    let connections = Connections::new(&settings, &LocalSecrets)
        .map_err(|error| Failure::bad_input(error).hint(format!("see {}", args.config.display())))?;
    Ok(Input {
        configs: manifests.selections.into_iter().map(Config::new).collect(),
        settings,
        connections,
    })
}

/// `sync` has to deliver somewhere.
pub fn require_management_api(args: &InputArgs, input: &Input) -> Result<(), Failure> {
    if input.settings.management_api.is_none() {
        let name = args.config.display().to_string();
        return Err(Failure::bad_input(InputError::NoManagementApi { name })
            .hint("add `managementApi: {endpoint: …}`, or use `multinic plan`"));
    }
    Ok(())
}

fn settings(path: &Path) -> Result<Settings, Failure> {
    let name = path.display().to_string();
    let text = read(path).map_err(|error| {
        Failure::bad_input(error).hint("give the settings file with --config FILE or MULTINIC_CONFIG")
    })?;
    Settings::parse(&text).map_err(|source| Failure::bad_input(InputError::Settings { name, source }))
}

/// One byte more than allowed is enough to know that a file is too large.
fn read(path: &Path) -> Result<String, InputError> {
    let name = path.display().to_string();
    let failed = |source| InputError::Read {
        name: name.clone(),
        source,
    };
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut text = String::new();
    source
        .take(MAX_MANIFEST_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() > MAX_MANIFEST_BYTES {
        return Err(InputError::TooLarge {
            name,
            max: MAX_MANIFEST_BYTES,
        });
    }
    Ok(text)
}
