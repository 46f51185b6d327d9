//! A connection that costs the client next to nothing: the two cores are the server's.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub const NODES: &str = "/v1/k8s/multinic/node-configs";

#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    pub async fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(4_096),
        }
    }

    /// Sends a request and reads the whole answer; its status.
    pub async fn exchange(&mut self, request: &[u8]) -> u16 {
        self.send(request).await;
        let head = self.until("\r\n\r\n").await;
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < length {
            self.more().await;
        }
        self.buffer.drain(..length);
        head[9..12].parse().unwrap()
    }

    pub async fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.unwrap();
    }

    /// Everything up to this text, and it.
    pub async fn until(&mut self, text: &str) -> String {
        let mut searched = 0;
        loop {
            let window = &self.buffer[searched..];
            if let Some(at) = window.windows(text.len()).position(|part| part == text.as_bytes()) {
                let found = self.buffer.drain(..searched + at + text.len()).collect();
                return String::from_utf8(found).unwrap();
            }
            searched = self.buffer.len().saturating_sub(text.len());
            self.more().await;
        }
    }

    async fn more(&mut self) {
        assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "hung up");
    }
}

pub fn get(path: &str, cluster: &str) -> Vec<u8> {
    format!("GET {NODES}{path} HTTP/1.1\r\nhost: measure\r\nx-provider-id: {cluster}\r\n\r\n").into_bytes()
}

pub fn post(cluster: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {NODES} HTTP/1.1\r\nhost: measure\r\nx-provider-id: {cluster}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}
