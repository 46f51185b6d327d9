//! Server-sent events out of the pieces in which they arrive (WHATWG HTML, 9.2.6), in bounded memory.

/// The longest event accepted, in bytes; a node with 256 interfaces takes about 40 kB.
const MAX_EVENT: usize = 4 * 1024 * 1024;

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Event {
    /// Empty if it has none.
    pub kind: String,
    /// The id that it sets, if it sets one.
    pub id: Option<String>,
    /// Its lines, joined.
    pub data: String,
}

/// The event is too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooLong;

/// What came so far of the event that is not complete.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The last byte was CR: an LF right behind it belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Parser {
    /// The events that are complete with these bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let is_second = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if is_second => {}
                b'\n' | b'\r' => events.extend(self.end_of_line()),
                byte if self.size() < MAX_EVENT => self.line.push(byte),
                _ => return Err(TooLong),
            }
        }
        Ok(events)
    }

    fn size(&self) -> usize {
        self.line.len() + self.event.data.len()
    }

    fn end_of_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = if self.begun {
            &line
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(&line)
        };
        self.begun = true;
        if line.is_empty() {
            return self.end_of_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        self.field(field, value.strip_prefix(' ').unwrap_or(value));
        None
    }

    /// Comments (an empty name) and unknown fields are nothing.
    fn field(&mut self, field: &str, value: &str) {
        match field {
            "event" => value.clone_into(&mut self.event.kind),
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            _ => {}
        }
    }

    /// An event without data is none.
    fn end_of_event(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use multinic_testing::fuzz;

    use super::*;

    const STREAM: &str = "\u{feff}event: node\ndata: {\"a\":1}\n\n: still here\n\nevent:updated\r\nid: 7\r\ndata: x\r\n\
                          data:  y\r\n\r\nid: 8\rdata\r\rretry: 5\nid: 9\n\n";

    fn expected() -> Vec<Event> {
        let event = |kind: &str, id: Option<&str>, data: &str| Event {
            kind: kind.to_owned(),
            id: id.map(ToOwned::to_owned),
            data: data.to_owned(),
        };
        vec![
            event("node", None, "{\"a\":1}"),
            event("updated", Some("7"), "x\n y"),
            event("", Some("8"), ""),
        ]
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        for size in 1..STREAM.len() {
            let mut parser = Parser::default();
            let pieces = STREAM.as_bytes().chunks(size);
            let events: Vec<Event> = pieces.flat_map(|piece| parser.feed(piece).unwrap()).collect();
            assert_eq!(events, expected(), "{size}");
        }
    }

    #[test]
    fn an_endless_line_or_event_is_refused() {
        let mut parser = Parser::default();
        assert_eq!(parser.feed(&vec![b'a'; MAX_EVENT]), Ok(Vec::new()));
        assert_eq!(parser.feed(b"a"), Err(TooLong));
        let mut parser = Parser::default();
        let line = [b"data:", vec![b'a'; 1000].as_slice(), b"\n"].concat();
        assert!((0..=MAX_EVENT / 1000).any(|_| parser.feed(&line) == Err(TooLong)));
    }

    #[test]
    fn a_stream_may_be_anything() {
        fuzz::run("events", &[STREAM.as_bytes().to_vec()], |bytes| {
            let mut whole = Parser::default();
            let mut cut = Parser::default();
            let events = whole.feed(bytes).unwrap();
            let pieces: Vec<Event> = bytes.chunks(3).flat_map(|piece| cut.feed(piece).unwrap()).collect();
            assert_eq!(events, pieces);
            events.len().min(4).to_string()
        });
    }
}
