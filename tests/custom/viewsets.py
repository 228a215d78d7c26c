from wagtail.users.views.users import CreateView, EditView, UserViewSet

from wagtail_member_reset.staff.viewset import MemberResetMixin

from .forms import OwnCreationForm, OwnEditForm


class OwnCreateView(CreateView):
    template_name = "custom/create.html"

    def get_success_message(self, instance):
        return f"Welcome on board, {instance}."


class OwnEditView(EditView):
    template_name = "custom/edit.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(own_word="Own context.", **kwargs)


class OwnUserViewSet(UserViewSet):
    add_view_class = OwnCreateView
    edit_view_class = OwnEditView
    edit_template_name = "custom/edit.html"
    create_template_name = "custom/create.html"

    def get_form_class(self, for_update=False):
        return OwnEditForm if for_update else OwnCreationForm


class ByHandUserViewSet(MemberResetMixin, OwnUserViewSet):
    """As the documentation tells sites to compose that switch the tab off, or set their viewset late."""


class TablessUserViewSet(UserViewSet):
    edit_template_name = "custom/tabless.html"
