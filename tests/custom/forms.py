from django import forms
from wagtail.users.forms import UserCreationForm, UserEditForm


class OwnEditForm(UserEditForm):
    phone = forms.CharField(required=True)


class OwnCreationForm(UserCreationForm):
    phone = forms.CharField(required=True)

    def clean_password1(self):
        """The site's own rule."""
        password = self.cleaned_data["password1"]
        if password and "!" not in password:
            raise forms.ValidationError("Put an exclamation mark in.")
        return password
