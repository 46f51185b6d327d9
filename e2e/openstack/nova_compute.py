"""nova-compute with the fake driver, which remembers its instances across a restart.

Debian's nova-compute package depends on a hypervisor; the fake driver needs only python3-nova.
"""
import sys

from nova.cmd.compute import main
from nova.virt import fake


def plug_vifs(self, instance, network_info):
    """nova-compute calls this for each of its instances when it starts. The stock fake driver forgets everything on
    a restart; remembering here is what keeps power state and detaching working."""
    for vif in network_info or []:
        self._interfaces[vif["id"]] = vif
    if instance.uuid not in self.instances and instance.power_state:
        self.instances[instance.uuid] = fake.FakeInstance(instance.name, instance.power_state, instance.uuid)


fake.FakeDriver.plug_vifs = plug_vifs
sys.exit(main())
