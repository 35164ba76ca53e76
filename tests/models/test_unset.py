import copy
import pickle

from persona_cases.models import UNSET, UnsetType


def test_unset_is_one_falsy_thing() -> None:
    assert repr(UNSET) == "UNSET"
    assert not UNSET
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET
    assert copy.deepcopy(UNSET) is UNSET
    assert isinstance(UNSET, UnsetType)
