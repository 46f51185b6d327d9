//! An interface's address together with the subnet it lies in.

use std::net::IpAddr;

use ipnet::IpNet;

/// An address and its CIDR, of one family, the address inside the CIDR. The CIDR is kept as a network (host bits zero).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InterfaceAddress {
    address: IpAddr,
    cidr: IpNet,
}

/// An address that does not lie in its CIDR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterfaceAddressError {
    /// IPv4 beside IPv6.
    #[error("failed to put {address} into {cidr}: one is IPv4, the other IPv6")]
    Family {
        /// The address.
        address: IpAddr,
        /// The CIDR.
        cidr: IpNet,
    },
    /// Same family, another network.
    #[error("failed to put {address} into {cidr}: the address lies outside")]
    Outside {
        /// The address.
        address: IpAddr,
        /// The CIDR.
        cidr: IpNet,
    },
}

impl InterfaceAddress {
    /// Checks family and containment.
    pub fn new(address: IpAddr, cidr: IpNet) -> Result<Self, InterfaceAddressError> {
        let cidr = cidr.trunc();
        if address.is_ipv4() != cidr.addr().is_ipv4() {
            return Err(InterfaceAddressError::Family { address, cidr });
        }
        if !cidr.contains(&address) {
            return Err(InterfaceAddressError::Outside { address, cidr });
        }
        Ok(Self { address, cidr })
    }

    /// The address of the interface.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The subnet's network.
    pub const fn cidr(&self) -> IpNet {
        self.cidr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(address: &str, cidr: &str) -> Result<InterfaceAddress, InterfaceAddressError> {
        InterfaceAddress::new(address.parse().unwrap(), cidr.parse().unwrap())
    }

    #[test]
    fn family_and_containment_are_checked() {
        assert!(new("192.168.1.100", "192.168.1.0/24").is_ok());
        assert!(new("fd00:20::1", "fd00:20::/64").is_ok());
        assert!(matches!(
            new("fd00:20::1", "192.168.1.0/24"),
            Err(InterfaceAddressError::Family { .. })
        ));
        assert!(matches!(
            new("192.168.2.1", "192.168.1.0/24"),
            Err(InterfaceAddressError::Outside { .. })
        ));
    }

    #[test]
    fn host_bits_of_the_cidr_are_dropped() {
        assert_eq!(
            new("10.0.0.7", "10.0.0.7/24").unwrap().cidr().to_string(),
            "10.0.0.0/24"
        );
    }
}
