import { mount } from 'svelte';
import './fonts.css';
import './app.css';
import App from './App.svelte';
import { theme } from '$lib/ui/theme.svelte';

theme.apply();
const target = document.getElementById('app');
if (target) mount(App, { target });
