//! One connection: transport, login, virtual host.

use std::time::Duration;

use lapin::{
    AsyncTcpStream, Connection, ConnectionProperties,
    auth::AuthProvider,
    types::{LongString, ShortString},
    uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo},
};
use multinic_model::Broker;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::{
    failure::Failure,
    runtime,
    transport::{self, Cut},
};
use crate::{LinkError, LinkSettings};

/// The longest frame, in bytes: the library keeps room for 64 of them. A recorded message has 0.4 to 5 thousand, and a
/// longer one comes in several.
const FRAME: u32 = 32 * 1024;

/// A connection that has logged in. Says good-bye when it is dropped.
pub(super) struct Connected {
    pub connection: Connection,
    pub broker: Broker,
    /// After the connection, which is still to say good-bye.
    _cut: Cut,
}

/// Connects to one broker, once.
pub(super) async fn connect(settings: &LinkSettings, broker: &Broker) -> Result<Connected, LinkError> {
    let cut = Cut::default();
    let within = settings.pace.connect_timeout;
    let connecting = async { Ok(start(settings, broker, &cut)?.await?) };
    let connected = timeout(within, connecting)
        .await
        .unwrap_or_else(|_| Err(Failure::silent(within)));
    Ok(Connected {
        connection: connected.map_err(|failure: Failure| failure.of_login(broker, settings))?,
        broker: broker.clone(),
        _cut: cut,
    })
}

fn start(
    settings: &LinkSettings,
    broker: &Broker,
    cut: &Cut,
) -> lapin::Result<impl Future<Output = lapin::Result<Connection>>> {
    let (to, tls, within, token) = (
        broker.clone(),
        settings.tls.clone(),
        settings.pace.connect_timeout,
        cut.token(),
    );
    let open = async move |_, _| {
        let transport = transport::open(&to, &tls, within, token.clone()).await?;
        Ok(AsyncTcpStream::Plain(transport))
    };
    let properties = ConnectionProperties::default()
        .with_connection_name(settings.connection_name.as_str().into())
        .with_client_property(short("product")?, "multinic".into())
        .with_client_property(short("version")?, env!("CARGO_PKG_VERSION").into())
        .with_auth_provider(Login {
            user: settings.user.clone(),
            password: settings.password.clone(),
        });
    let address = address(settings, broker)?;
    Ok(Connection::connector(address, runtime::current(), open, properties))
}

/// What the library wants to know as an address. The password is not in it.
fn address(settings: &LinkSettings, broker: &Broker) -> lapin::Result<AMQPUri> {
    short(&settings.vhost)?;
    Ok(AMQPUri {
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo {
                username: settings.user.clone(),
                password: String::new(),
            },
            host: broker.host.clone(),
            port: broker.port,
        },
        vhost: settings.vhost.clone(),
        query: AMQPQueryString {
            frame_max: Some(FRAME),
            heartbeat: Some(beat(settings.heartbeat)),
            ..AMQPQueryString::default()
        },
    })
}

/// What is agreed on with the broker, in seconds: the library gives up after twice of it without a sign.
fn beat(silence: Duration) -> u16 {
    u16::try_from(silence.as_secs() / 2).unwrap_or(u16::MAX).max(1)
}

/// A name as AMQP has it: 255 bytes at most.
pub(super) fn short(name: &str) -> lapin::Result<ShortString> {
    ShortString::try_new(name).map_err(|error| std::io::Error::other(error).into())
}

/// The mechanism PLAIN, which every RabbitMQ offers.
struct Login {
    user: String,
    password: SecretString,
}

impl AuthProvider for Login {
    fn mechanism(&self) -> ShortString {
        "PLAIN".into()
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        Ok(format!("\0{}\0{}", self.user, self.password.expose_secret()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agreed_beat_is_half_the_silence_and_never_none() {
        for (silence, expected) in [(60, 30), (3, 1), (1, 1), (0, 1), (1 << 20, u16::MAX)] {
            assert_eq!(beat(Duration::from_secs(silence)), expected, "{silence}");
        }
    }
}
