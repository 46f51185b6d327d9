//! Ids that look like OpenStack's and are the same in every run: a function of the kind and a counter.

use std::sync::Arc;

use uuid::Builder;

/// An id as it stands in a body. Shared, because ten thousand ports name the same network.
pub(crate) type Id = Arc<str>;

/// The `n`-th UUID of `kind`. Scattered, so that the order by id is not the order of creation.
pub(crate) fn uuid(kind: &str, n: u64) -> Id {
    Builder::from_random_bytes(bytes(kind, n))
        .into_uuid()
        .hyphenated()
        .to_string()
        .into()
}

/// The `n`-th id of `kind` in Keystone's form: 32 hex digits.
pub(crate) fn hex(kind: &str, n: u64) -> Id {
    Builder::from_random_bytes(bytes(kind, n))
        .into_uuid()
        .simple()
        .to_string()
        .into()
}

/// The `n`-th MAC address under OpenStack's default prefix.
pub(crate) fn mac(n: u64) -> String {
    let [.., a, b, c] = n.to_be_bytes();
    format!("fa:16:3e:{a:02x}:{b:02x}:{c:02x}")
}

fn bytes(kind: &str, n: u64) -> [u8; 16] {
    let seed = kind.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let high = u128::from(scatter(seed ^ scatter(n)));
    let low = u128::from(scatter(seed.rotate_left(32) ^ scatter(n.wrapping_add(1))));
    (high << 64 | low).to_be_bytes()
}

/// The finaliser of SplitMix64: a bijection, so different inputs never meet.
fn scatter(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_differ_by_kind_and_number_and_never_by_run() {
        let all: BTreeSet<_> = ["port", "server"]
            .iter()
            .flat_map(|kind| (0..1000).map(|n| uuid(kind, n)))
            .collect();
        assert_eq!(all.len(), 2000);
        assert_eq!(uuid("port", 1), uuid("port", 1));
        assert_eq!(uuid("port", 1).len(), 36);
        assert_eq!(hex("project", 1).len(), 32);
    }

    #[test]
    fn mac_addresses_count_up_under_the_prefix() {
        assert_eq!(mac(0x01_02_03), "fa:16:3e:01:02:03");
    }
}
