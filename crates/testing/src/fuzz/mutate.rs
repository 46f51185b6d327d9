//! Mutations that know nothing of the format.

use std::ops::Range;

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

/// No input grows beyond this.
const MAX_LEN: usize = 64 * 1024;

/// Texts at which parsers stumble.
const WORDS: [&[u8]; 24] = [
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"0",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\0",
    b"=",
    b"Salted__",
    b"U2FsdGVkX1",
    b"://",
    b"/v3",
    b"/v2.0",
    b"[::1]:1",
    b"%00",
    "한글".as_bytes(),
];

/// Bytes from nowhere, some of them printable.
pub(super) fn noise(random: &mut StdRng) -> Vec<u8> {
    let len = random.random_range(0..256);
    let printable: bool = random.random();
    (0..len)
        .map(|_| {
            if printable {
                random.random_range(b' '..=b'~')
            } else {
                random.random()
            }
        })
        .collect()
}

/// Changes `input` in one way; `other` is something to borrow from.
pub(super) fn bytes(input: &mut Vec<u8>, other: &[u8], random: &mut StdRng) {
    match random.random_range(0..9) {
        0 => flip_bit(input, random),
        1 => set_byte(input, random),
        2 => drop(input.drain(range(input.len(), random))),
        3 => insert(input, &noise(random), random),
        4 => insert(input, WORDS.choose(random).unwrap_or(&WORDS[0]), random),
        5 => insert(input, &other[range(other.len(), random)], random),
        6 => input.truncate(random.random_range(0..=input.len())),
        7 => repeat(input, random),
        _ => {
            let word = WORDS.choose(random).unwrap_or(&WORDS[0]);
            let range = range(input.len(), random);
            drop(input.splice(range, word.iter().copied()));
        }
    }
    input.truncate(MAX_LEN);
}

fn flip_bit(input: &mut [u8], random: &mut StdRng) {
    let bit = 1 << random.random_range(0..8);
    if let Some(byte) = any_byte(input, random) {
        *byte ^= bit;
    }
}

fn set_byte(input: &mut [u8], random: &mut StdRng) {
    let value = *[0, 1, b'"', b'{', b'[', b'\\', 0x7f, 0x80, 0xff, random.random()]
        .choose(random)
        .unwrap_or(&0);
    if let Some(byte) = any_byte(input, random) {
        *byte = value;
    }
}

fn any_byte<'a>(input: &'a mut [u8], random: &mut StdRng) -> Option<&'a mut u8> {
    let at = random.random_range(0..input.len().max(1));
    input.get_mut(at)
}

/// Short more often than long.
fn range(len: usize, random: &mut StdRng) -> Range<usize> {
    let start = random.random_range(0..=len);
    let longest = if random.random() { 8 } else { len };
    start..start + random.random_range(0..=longest.min(len - start))
}

fn insert(input: &mut Vec<u8>, part: &[u8], random: &mut StdRng) {
    let at = random.random_range(0..=input.len());
    drop(input.splice(at..at, part.iter().copied()));
}

/// A part again and again: deep nesting, long numbers, many items.
fn repeat(input: &mut Vec<u8>, random: &mut StdRng) {
    let range = range(input.len(), random);
    let most = if random.random_ratio(1, 16) { 2_000 } else { 8 };
    let times: usize = random.random_range(1..most);
    let part = input[range.clone()].repeat(times.min(MAX_LEN / range.len().max(1)));
    drop(input.splice(range.end..range.end, part));
}
