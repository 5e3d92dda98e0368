//! Protocol Buffers' wire format, as far as a writer needs it.
//!
//! A message is a row of fields. Each begins with a number, `field << 3 | type`, and
//! numbers are in groups of seven bits, the lowest first, all but the last with 128
//! added:
//!
//! | type | value |
//! |---|---|
//! | 0 | a number |
//! | 2 | a length, and as many bytes: text, or another message |
//!
//! # Source
//! Google, *Protocol Buffers: Encoding*.

/// A message that grows field by field.
#[derive(Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    pub(super) fn number(mut self, field: u32, value: u64) -> Self {
        self.key(field, 0);
        self.varint(value);
        self
    }

    pub(super) fn text(mut self, field: u32, text: &str) -> Self {
        self.start(field, text.len() as u64);
        self.bytes.extend(text.bytes());
        self
    }

    pub(super) fn message(mut self, field: u32, message: &Self) -> Self {
        self.start(field, message.bytes.len() as u64);
        self.bytes.extend(&message.bytes);
        self
    }

    /// The beginning of a field of so many bytes, which the caller writes after it.
    pub(super) fn start(&mut self, field: u32, length: u64) {
        self.key(field, 2);
        self.varint(length);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        self.varint((field << 3 | wire_type).into());
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the encoding's own page.
    #[test]
    fn fields_are_those_of_the_specification() {
        assert_eq!(Message::default().number(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        let testing = [&[0x12, 0x07][..], b"testing"].concat();
        assert_eq!(Message::default().text(2, "testing").into_bytes(), testing);
        let inner = Message::default().number(1, 150);
        let outer = Message::default().message(3, &inner);
        assert_eq!(outer.into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
    }
}
